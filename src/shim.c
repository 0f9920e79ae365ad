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
ngx_http_cors_set_header_only(ngx_http_request_t *r, ngx_uint_t header_only)
{
    r->header_only = header_only ? 1 : 0;
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
