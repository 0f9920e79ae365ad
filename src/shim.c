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
ngx_http_cors_is_internal(const ngx_http_request_t *r)
{
    return r->internal;
}


ngx_uint_t
ngx_http_cors_is_post_action(const ngx_http_request_t *r)
{
    return r->post_action;
}


void
ngx_http_cors_answer(ngx_http_request_t *r, ngx_uint_t status)
{
    ngx_int_t  rc;

    /*
     * Where error_page has led here, nginx would send the status of the error; and preconditions are those of a
     * document.
     */

    r->err_status = 0;
    r->header_only = 1;
    r->disable_not_modified = 1;

    if (status != NGX_HTTP_NO_CONTENT) {

        /* With trailers to come, nginx would begin a body in chunks; of responses without a body it knows but a few. */

        r->method = NGX_HTTP_HEAD;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = 0;

    rc = ngx_http_send_header(r);

    if (rc == NGX_OK && !r->header_sent) {

        /* A filter, such as that of images, waits for a body to make a header of; once it has been asked it waits no more. */

        ngx_http_clean_header(r);

        r->headers_out.status = status;
        r->headers_out.content_length_n = 0;

        rc = ngx_http_send_header(r);
    }

    ngx_http_finalize_request(r, rc);
}


ngx_int_t
ngx_http_cors_send_all(ngx_http_request_t *r, ngx_buf_t *b)
{
    ngx_int_t    rc;
    ngx_chain_t  out;

    b->last_buf = 1;
    b->last_in_chain = 1;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


void
ngx_http_cors_allow_body(ngx_http_request_t *r)
{
    r->header_only = 0;

    if (r->method == NGX_HTTP_HEAD && r->method_name.len != 4) {
        r->method = NGX_HTTP_OPTIONS;
    }
}


ngx_uint_t
ngx_http_cors_asks_for_websocket(const ngx_http_request_t *r)
{
    ngx_table_elt_t  *upgrade;

    upgrade = r->headers_in.upgrade;

    return upgrade != NULL
           && ngx_strlcasestrn(upgrade->value.data,
                               upgrade->value.data + upgrade->value.len,
                               (u_char *) "websocket", sizeof("websocket") - 2)
              != NULL;
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
