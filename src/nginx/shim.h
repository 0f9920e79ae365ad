/*
 * What only a C compiler with nginx's own headers knows: where fields lie, and how bit-fields are written.
 */

#ifndef _NGX_HTTP_CORS_SHIM_H_INCLUDED_
#define _NGX_HTTP_CORS_SHIM_H_INCLUDED_

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>


/* The structures and fields that the module touches. */

#define NGX_HTTP_CORS_STRUCTS(X)                                              \
    X(ngx_str_t)                                                              \
    X(ngx_list_t)                                                             \
    X(ngx_list_part_t)                                                        \
    X(ngx_table_elt_t)                                                        \
    X(ngx_pool_cleanup_t)                                                     \
    X(ngx_pool_t)                                                             \
    X(ngx_variable_value_t)                                                   \
    X(ngx_command_t)                                                          \
    X(ngx_module_t)                                                           \
    X(ngx_http_module_t)                                                      \
    X(ngx_http_complex_value_t)                                               \
    X(ngx_http_compile_complex_value_t)                                       \
    X(ngx_http_request_t)                                                     \
    X(ngx_http_headers_in_t)                                                  \
    X(ngx_http_headers_out_t)                                                 \
    X(ngx_http_core_main_conf_t)                                              \
    X(ngx_http_core_srv_conf_t)                                               \
    X(ngx_http_core_loc_conf_t)                                               \
    X(ngx_buf_t)                                                              \
    X(ngx_shm_zone_t)                                                         \
    X(ngx_slab_pool_t)                                                        \
    X(ngx_time_t)                                                             \
    X(ngx_event_t)

#define NGX_HTTP_CORS_FIELDS(X)                                               \
    X(ngx_conf_t, log)                                                        \
    X(ngx_conf_t, pool)                                                       \
    X(ngx_conf_t, ctx)                                                        \
    X(ngx_conf_t, args)                                                       \
    X(ngx_conf_t, conf_file)                                                  \
    X(ngx_conf_t, cycle)                                                      \
    X(ngx_conf_file_t, file)                                                  \
    X(ngx_conf_file_t, line)                                                  \
    X(ngx_http_conf_ctx_t, main_conf)                                         \
    X(ngx_http_conf_ctx_t, srv_conf)                                          \
    X(ngx_http_conf_ctx_t, loc_conf)                                          \
    X(ngx_module_t, index)                                                    \
    X(ngx_module_t, ctx_index)                                                \
    X(ngx_array_t, elts)                                                      \
    X(ngx_array_t, nelts)                                                     \
    X(ngx_http_phase_t, handlers)                                             \
    X(ngx_pool_cleanup_t, data)                                               \
    X(ngx_pool_cleanup_t, handler)                                            \
    X(ngx_pool_cleanup_t, next)                                               \
    X(ngx_pool_t, cleanup)                                                    \
    X(ngx_list_t, part)                                                       \
    X(ngx_list_part_t, elts)                                                  \
    X(ngx_list_part_t, nelts)                                                 \
    X(ngx_list_part_t, next)                                                  \
    X(ngx_table_elt_t, hash)                                                  \
    X(ngx_table_elt_t, key)                                                   \
    X(ngx_table_elt_t, value)                                                 \
    X(ngx_table_elt_t, lowcase_key)                                           \
    X(ngx_connection_t, log)                                                  \
    X(ngx_http_request_t, connection)                                         \
    X(ngx_http_request_t, ctx)                                                \
    X(ngx_http_request_t, main_conf)                                          \
    X(ngx_http_request_t, srv_conf)                                           \
    X(ngx_http_request_t, loc_conf)                                           \
    X(ngx_http_request_t, pool)                                               \
    X(ngx_http_request_t, headers_in)                                         \
    X(ngx_http_request_t, headers_out)                                        \
    X(ngx_http_request_t, method)                                             \
    X(ngx_http_request_t, http_version)                                       \
    X(ngx_http_request_t, host_start)                                         \
    X(ngx_http_request_t, host_end)                                           \
    X(ngx_http_request_t, main)                                               \
    X(ngx_http_variable_t, get_handler)                                       \
    X(ngx_http_variable_t, data)                                              \
    X(ngx_log_t, log_level)                                                   \
    X(ngx_http_headers_in_t, headers)                                         \
    X(ngx_http_headers_in_t, host)                                            \
    X(ngx_http_headers_in_t, server)                                          \
    X(ngx_http_headers_out_t, headers)                                        \
    X(ngx_http_headers_out_t, server)                                         \
    X(ngx_http_headers_out_t, date)                                           \
    X(ngx_http_headers_out_t, status)                                         \
    X(ngx_http_headers_out_t, content_length_n)                               \
    X(ngx_http_core_main_conf_t, phases)                                      \
    X(ngx_http_core_srv_conf_t, server_name)                                  \
    X(ngx_http_core_loc_conf_t, handler)                                      \
    X(ngx_http_request_t, args)                                               \
    X(ngx_http_headers_out_t, content_type)                                   \
    X(ngx_http_headers_out_t, content_type_len)                               \
    X(ngx_buf_t, pos)                                                         \
    X(ngx_buf_t, last)                                                        \
    X(ngx_http_core_loc_conf_t, name)                                         \
    X(ngx_shm_zone_t, data)                                                   \
    X(ngx_shm_zone_t, shm)                                                    \
    X(ngx_shm_t, log)                                                         \
    X(ngx_shm_zone_t, init)                                                   \
    X(ngx_shm_t, addr)                                                        \
    X(ngx_shm_t, size)                                                        \
    X(ngx_shm_t, name)                                                        \
    X(ngx_slab_pool_t, start)                                                 \
    X(ngx_slab_pool_t, end)                                                   \
    X(ngx_cycle_t, old_cycle)                                                 \
    X(ngx_cycle_t, conf_ctx)                                                  \
    X(ngx_cycle_t, log)                                                       \
    X(ngx_cycle_t, shared_memory)                                             \
    X(ngx_time_t, sec)                                                        \
    X(ngx_event_t, data)                                                      \
    X(ngx_connection_t, data)                                                 \
    X(ngx_cycle_t, pool)

/* Constants, so that the Rust compiler can hold them against its own view of the bindings. */

#define NGX_HTTP_CORS_SIZE(type)           NGX_HTTP_CORS_SIZEOF_##type = sizeof(type),
#define NGX_HTTP_CORS_OFFSET(type, field)  NGX_HTTP_CORS_OFFSETOF_##type##_##field = offsetof(type, field),

enum ngx_http_cors_layout_e {
    NGX_HTTP_CORS_STRUCTS(NGX_HTTP_CORS_SIZE)
    NGX_HTTP_CORS_FIELDS(NGX_HTTP_CORS_OFFSET)
};


/* Whether the request came over TLS. */
ngx_uint_t ngx_http_cors_is_secure(const ngx_http_request_t *r);

/* Bit-fields, which bindgen may misplace: */

/* Whether an internal redirect, or a filter that gave up the response, may have cleared the contexts of modules. */
ngx_uint_t ngx_http_cors_may_have_lost_contexts(const ngx_http_request_t *r);

/* Whether nginx runs the request again for post_action, after its answer. */
ngx_uint_t ngx_http_cors_is_post_action(const ngx_http_request_t *r);

/*
 * How often the URI of the request may still change: one less after each internal redirect, and after each rewrite that
 * leads to another location.
 */
ngx_uint_t ngx_http_cors_uri_changes_left(const ngx_http_request_t *r);

/* The pool cleanup by which the context of a request is found. It does nothing. */
void ngx_http_cors_context_cleanup(void *data);

/* Answers with nothing but a header, and ends the request: no other handler and no error_page sees it. */
void ngx_http_cors_end_with_header(ngx_http_request_t *r, ngx_uint_t status);

/* Lets the response have a body again. */
void ngx_http_cors_allow_body(ngx_http_request_t *r);

/* Sends the header, and "b" for the whole body. */
ngx_int_t ngx_http_cors_send(ngx_http_request_t *r, ngx_buf_t *b);

/*
 * A request like "r" to evaluate variables for, with an empty list of headers and no variable evaluated yet. It lives
 * in the pool of "r". NULL if there is no memory.
 */
ngx_http_request_t *ngx_http_cors_simulated_request(ngx_http_request_t *r);

/*
 * The next variable, from "number" on, that was evaluated for "r": its name and its value. "is_known" is 0 if only a real
 * request gives it one: "set" does in the rewrite phase, and another module ("auth_request_set") in a later one. Returns
 * the number to go on with, or 0 if there is none.
 */
ngx_uint_t ngx_http_cors_next_evaluated_variable(const ngx_http_request_t *r, ngx_uint_t number, ngx_str_t *name,
    ngx_str_t *value, ngx_uint_t *is_known);

/*
 * The first address on which a server listens, as the configuration that nginx is reading has it; an empty string if
 * there is none. "is_tls" is 1 if it speaks TLS.
 */
ngx_str_t ngx_http_cors_listener(const ngx_http_core_main_conf_t *cmcf, const void *server, ngx_uint_t *is_tls);

/* Makes "data" the value of a variable; it is to be asked for again, as it may change with the location. */
void ngx_http_cors_set_variable(ngx_http_variable_value_t *v, const u_char *data, size_t len);

/* Whether nginx is about to write "Vary: Accept-Encoding" by itself; if so, it no longer will. */
ngx_uint_t ngx_http_cors_take_gzip_vary(ngx_http_request_t *r);

/* The target of the error_page of this number in the block, as it was written; an empty one if there is none. */
ngx_str_t ngx_http_cors_error_page(const ngx_http_core_loc_conf_t *clcf, ngx_uint_t number);

/*
 * A timer that calls "handler", which finds "data" where it would find that of a connection. It lives as long as the
 * configuration of "cycle", and does not keep a process that finishes from its end. NULL if there is no memory.
 */
ngx_event_t *ngx_http_cors_new_timer(ngx_cycle_t *cycle, ngx_event_handler_pt handler, void *data);

/* Has the timer call its handler in so many milliseconds, and no more if it was to do so at another time. */
void ngx_http_cors_start_timer(ngx_event_t *timer, ngx_msec_t milliseconds);

/* Has the timer call its handler no more. */
void ngx_http_cors_stop_timer(ngx_event_t *timer);

/* How the location was written before its name: nothing, "= ", "^~ " or "~ ". */
const char *ngx_http_cors_location_modifier(const ngx_http_core_loc_conf_t *clcf);


#endif /* _NGX_HTTP_CORS_SHIM_H_INCLUDED_ */
