#include "shim.h"


ngx_uint_t
ngx_http_cors_is_secure(const ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL || NGX_COMPAT)
    return r->connection->ssl != NULL;
#else
    return 0;
#endif
}


ngx_uint_t
ngx_http_cors_may_have_lost_contexts(const ngx_http_request_t *r)
{
    return r->internal || r->filter_finalize;
}


ngx_uint_t
ngx_http_cors_is_post_action(const ngx_http_request_t *r)
{
    return r->post_action;
}


ngx_uint_t
ngx_http_cors_uri_changes_left(const ngx_http_request_t *r)
{
    return r->uri_changes;
}


void
ngx_http_cors_context_cleanup(void *data)
{
    (void) data;
}


void
ngx_http_cors_end_with_header(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_int_t  rc;

    /*
     * Where error_page has led here, nginx would send the status of the error
     * instead; and the preconditions of the request (If-Match and the like) are
     * about a document.
     */

    r->err_status = 0;
    r->header_only = 1;
    r->disable_not_modified = 1;

    if (status != NGX_HTTP_NO_CONTENT) {

        /*
         * With add_trailer nginx would begin a chunked body: it asks for the
         * method and a few statuses to know that there is none.
         */

        r->method = NGX_HTTP_HEAD;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_OK && !r->header_sent) {

        /*
         * A filter waits for the body before it sends the header, as that of
         * images does. It has had its turn, and waits no more the second time.
         */

        ngx_http_clean_header(r);

        r->headers_out.status = status;
        r->headers_out.content_length_n = 0;

        rc = ngx_http_send_header(r);
    }

    ngx_http_finalize_request(r, rc);
}


void
ngx_http_cors_allow_body(ngx_http_request_t *r)
{
    r->header_only = 0;

    if (r->method == NGX_HTTP_HEAD && r->method_name.len != 4) {
        r->method = NGX_HTTP_OPTIONS;
    }
}


ngx_int_t
ngx_http_cors_send(ngx_http_request_t *r, ngx_buf_t *b)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    /* The response to a subrequest is a part of another, which goes on. */

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    if (ngx_buf_size(b) == 0) {
        b->temporary = 0;
        b->sync = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


ngx_http_request_t *
ngx_http_cors_simulated_request(ngx_http_request_t *r)
{
    ngx_http_request_t         *sr;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    sr = ngx_palloc(r->pool, sizeof(ngx_http_request_t));
    if (sr == NULL) {
        return NULL;
    }

    *sr = *r;

    sr->ctx = ngx_pcalloc(r->pool, sizeof(void *) * ngx_http_max_module);
    if (sr->ctx == NULL) {
        return NULL;
    }

    sr->variables = ngx_pcalloc(r->pool, (cmcf->variables.nelts + 1)
                                         * sizeof(ngx_http_variable_value_t));
    if (sr->variables == NULL) {
        return NULL;
    }

    if (ngx_list_init(&sr->headers_in.headers, r->pool, 20,
                      sizeof(ngx_table_elt_t))
        != NGX_OK)
    {
        return NULL;
    }

#if (NGX_PCRE)

    /* A regex in a map writes what it has captured. */

    sr->ncaptures = 0;
    sr->captures = NULL;
    sr->captures_data = NULL;

#endif

    return sr;
}


ngx_uint_t
ngx_http_cors_next_evaluated_variable(const ngx_http_request_t *r,
    ngx_uint_t number, ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t *is_known)
{
    ngx_http_variable_t        *v;
    ngx_http_variable_value_t  *evaluated;
    ngx_http_core_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_core_module);

    v = cmcf->variables.elts;

    for ( /* void */ ; number < cmcf->variables.nelts; number++) {

        evaluated = &r->variables[number];

        if (!evaluated->valid && !evaluated->not_found) {
            continue;
        }

        *name = v[number].name;
        value->len = evaluated->valid ? evaluated->len : 0;
        value->data = evaluated->valid ? evaluated->data : (u_char *) "";

        if (evaluated->valid) {

            /* No one but "set" declares a variable that gives way to any other. */

            *is_known = (v[number].flags & NGX_HTTP_VAR_WEAK) ? 0 : 1;

        } else {

            /* What belongs to the request itself by its name is not there. */

            *is_known = (v[number].flags & NGX_HTTP_VAR_CHANGEABLE) ? 0 : 1;
        }

        return number + 1;
    }

    return 0;
}


ngx_str_t
ngx_http_cors_listener(const ngx_http_core_main_conf_t *cmcf,
    const void *server, ngx_uint_t *is_tls)
{
    ngx_str_t                   none = ngx_null_string;
    ngx_uint_t                  p, a, s;
    ngx_http_conf_addr_t       *addr;
    ngx_http_conf_port_t       *port;
    ngx_http_core_srv_conf_t  **servers;

    if (cmcf->ports == NULL) {
        return none;
    }

    port = cmcf->ports->elts;

    for (p = 0; p < cmcf->ports->nelts; p++) {

        addr = port[p].addrs.elts;

        for (a = 0; a < port[p].addrs.nelts; a++) {

            servers = addr[a].servers.elts;

            for (s = 0; s < addr[a].servers.nelts; s++) {

                if ((const void *) servers[s] == server) {
#if (NGX_HTTP_SSL)
                    *is_tls = addr[a].opt.ssl;
#else
                    *is_tls = 0;
#endif
                    return addr[a].opt.addr_text;
                }
            }
        }
    }

    return none;
}


void
ngx_http_cors_set_variable(ngx_http_variable_value_t *v, const u_char *data,
    size_t len)
{
    v->data = (u_char *) data;
    v->len = (unsigned) len;
    v->valid = 1;
    v->no_cacheable = 1;
    v->not_found = 0;
}


ngx_uint_t
ngx_http_cors_take_gzip_vary(ngx_http_request_t *r)
{
#if (NGX_HTTP_GZIP)
    ngx_http_core_loc_conf_t  *clcf;

    if (r->gzip_vary) {
        r->gzip_vary = 0;

        clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
        return clcf->gzip_vary;
    }
#endif

    return 0;
}


ngx_str_t
ngx_http_cors_error_page(const ngx_http_core_loc_conf_t *clcf,
    ngx_uint_t number)
{
    ngx_str_t             none = ngx_null_string;
    ngx_http_err_page_t  *page;

    if (clcf->error_pages == NULL
        || clcf->error_pages == NGX_CONF_UNSET_PTR
        || number >= clcf->error_pages->nelts)
    {
        return none;
    }

    page = clcf->error_pages->elts;

    return page[number].value.value;
}


ngx_event_t *
ngx_http_cors_new_timer(ngx_cycle_t *cycle, ngx_event_handler_pt handler,
    void *data)
{
    ngx_event_t       *timer;
    ngx_connection_t  *c;

    timer = ngx_pcalloc(cycle->pool, sizeof(ngx_event_t));
    if (timer == NULL) {
        return NULL;
    }

    /* The debug log of timers shows the socket of a connection. */

    c = ngx_pcalloc(cycle->pool, sizeof(ngx_connection_t));
    if (c == NULL) {
        return NULL;
    }

    c->fd = (ngx_socket_t) -1;
    c->data = data;

    timer->data = c;
    timer->handler = handler;
    timer->log = cycle->log;
    timer->cancelable = 1;

    return timer;
}


void
ngx_http_cors_start_timer(ngx_event_t *timer, ngx_msec_t milliseconds)
{
    if (timer->timer_set) {
        ngx_del_timer(timer);
    }

    ngx_add_timer(timer, milliseconds);
}


void
ngx_http_cors_stop_timer(ngx_event_t *timer)
{
    if (timer->timer_set) {
        ngx_del_timer(timer);
    }
}


const char *
ngx_http_cors_location_modifier(const ngx_http_core_loc_conf_t *clcf)
{
#if (NGX_PCRE)
    if (clcf->regex) {
        return "~ ";
    }
#endif

    return clcf->exact_match ? "= " : clcf->noregex ? "^~ " : "";
}
