/*
 * What nginx's pools, lists, arrays and strings ask of the rest of nginx, for the unit tests: a log that nobody reads,
 * and memory that a test can let run out.
 */

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


volatile ngx_cycle_t  *ngx_cycle;
volatile ngx_time_t   *ngx_cached_time;
ngx_uint_t              ngx_pagesize = 4096;

/* Tests run in threads. */

static _Thread_local int  out_of_memory;


void
ngx_http_cors_test_out_of_memory(int is)
{
    out_of_memory = is;
}


/* What nginx writes to the bits of a request when it comes, when "rewrite" has led it on, and on an internal redirect. */

void
ngx_http_cors_test_begin(ngx_http_request_t *r)
{
    r->uri_changes = NGX_HTTP_MAX_URI_CHANGES + 1;
}


void
ngx_http_cors_test_rewrite(ngx_http_request_t *r)
{
    r->uri_changes--;
}


void
ngx_http_cors_test_redirect(ngx_http_request_t *r)
{
    r->uri_changes--;
    r->internal = 1;
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    (void) log;

    return out_of_memory ? NULL : malloc(size);
}


void *
ngx_memalign(size_t alignment, size_t size, ngx_log_t *log)
{
    void  *p;

    (void) log;

    if (out_of_memory || posix_memalign(&p, alignment, size) != 0) {
        return NULL;
    }

    return p;
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    (void) level;
    (void) log;
    (void) err;
    (void) fmt;
}
