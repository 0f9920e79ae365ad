//! What is done with each directive of a configuration that is tried on loopback.

/// What becomes of a directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    Keep,
    /// It is left out: it names files, users, other machines, or limits that the requests of a trial would reach.
    Drop,
    /// Instead of the application a stand-in is asked.
    Application,
    /// Another name for a directive of the proxy that the stand-in is asked by.
    Renamed(&'static str),
    /// It listens on a socket of the trial.
    Listen,
    /// Files come from a directory of the trial.
    Root,
    Alias,
    Certificate,
    CertificateKey,
    /// The one user that the trial knows.
    Passwords,
    /// The value of this number names a file, which is read where it lies.
    File(usize),
    /// It might connect to others.
    Refuse,
}

/// Directives that hand requests to an application.
const APPLICATIONS: [&str; 6] = [
    "proxy_pass",
    "fastcgi_pass",
    "uwsgi_pass",
    "scgi_pass",
    "grpc_pass",
    "memcached_pass",
];

/// Directives that have no part in which headers a response has, and reach out of the trial.
const DROPPED: &[&str] = &[
    "access_log",
    "auth_delay",
    "client_body_temp_path",
    "create_full_put_path",
    "error_log",
    "http3",
    "http3_hq",
    "limit_conn",
    "limit_rate",
    "limit_rate_after",
    "limit_req",
    "open_log_file_cache",
    "proxy_bind",
    "proxy_pass_request_headers",
    "proxy_redirect",
    "resolver",
    "resolver_timeout",
    "rewrite_log",
    "ssl_conf_command",
    "ssl_crl",
    "ssl_dhparam",
    "ssl_early_data",
    "ssl_engine",
    "ssl_password_file",
    "ssl_session_ticket_key",
    "ssl_trusted_certificate",
    "upstream",
    "xslt_stylesheet",
];

/// Beginnings of the names of such directives.
const DROPPED_PREFIXES: &[&str] = &[
    "fastcgi_bind",
    "fastcgi_cache",
    "fastcgi_next_upstream",
    "fastcgi_store",
    "fastcgi_temp_path",
    "grpc_bind",
    "grpc_next_upstream",
    "grpc_ssl_",
    "proxy_cache",
    "proxy_next_upstream",
    "proxy_ssl_",
    "proxy_store",
    "proxy_temp_path",
    "quic_",
    "scgi_bind",
    "scgi_cache",
    "scgi_next_upstream",
    "scgi_store",
    "scgi_temp_path",
    "ssl_ocsp",
    "ssl_stapling",
    "uwsgi_bind",
    "uwsgi_cache",
    "uwsgi_next_upstream",
    "uwsgi_ssl_",
    "uwsgi_store",
    "uwsgi_temp_path",
];

/// Directives of nginx and of this module that ask nobody.
const KEPT: &[&str] = &[
    "absolute_redirect",
    "aio",
    "aio_write",
    "allow",
    "auth_basic",
    "auth_request",
    "auth_request_set",
    "break",
    "charset",
    "chunked_transfer_encoding",
    "connection_pool_size",
    "cors",
    "default_type",
    "deny",
    "directio",
    "directio_alignment",
    "disable_symlinks",
    "early_hints",
    "empty_gif",
    "error_page",
    "etag",
    "expires",
    "flv",
    "geo",
    "http2",
    "if",
    "if_modified_since",
    "ignore_invalid_headers",
    "image_filter",
    "index",
    "internal",
    "large_client_header_buffers",
    "limit_except",
    "location",
    "log_format",
    "log_not_found",
    "log_subrequest",
    "map",
    "max_headers",
    "max_ranges",
    "merge_slashes",
    "min_delete_depth",
    "mirror",
    "mirror_request_body",
    "output_buffers",
    "override_charset",
    "port_in_redirect",
    "postpone_output",
    "random_index",
    "read_ahead",
    "recursive_error_pages",
    "request_pool_size",
    "reset_timedout_connection",
    "return",
    "rewrite",
    "satisfy",
    "server",
    "server_name",
    "server_name_in_redirect",
    "server_tokens",
    "set",
    "set_real_ip_from",
    "slice",
    "source_charset",
    "split_clients",
    "stub_status",
    "subrequest_output_buffer_size",
    "tcp_nodelay",
    "tcp_nopush",
    "try_files",
    "types",
    "underscores_in_headers",
    "uninitialized_variable_warn",
    "valid_referers",
];

/// Beginnings of the names of such directives.
const KEPT_PREFIXES: &[&str] = &[
    "add_",
    "addition_",
    "autoindex",
    "brotli",
    "charset_",
    "client_",
    "cors_",
    "dav_",
    "fastcgi_",
    "grpc_",
    "gunzip",
    "gzip",
    "http2_",
    "image_filter_",
    "keepalive_",
    "limit_conn_",
    "limit_req_",
    "lingering_",
    "map_hash_",
    "memcached_",
    "more_",
    "mp4",
    "msie_",
    "open_file_cache",
    "proxy_",
    "real_ip_",
    "referer_hash_",
    "scgi_",
    "secure_link",
    "send_",
    "sendfile",
    "server_names_hash_",
    "ssi",
    "ssl_",
    "sub_filter",
    "types_hash_",
    "userid",
    "uwsgi_",
    "variables_hash_",
    "xslt_",
    "zstd",
];

/// What becomes of the directive of this name in `http` and the blocks within.
pub fn treatment(name: &str) -> Treatment {
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    match name {
        "listen" => Treatment::Listen,
        "root" => Treatment::Root,
        "alias" => Treatment::Alias,
        "ssl_certificate" | "ssl_client_certificate" => Treatment::Certificate,
        "ssl_certificate_key" => Treatment::CertificateKey,
        "auth_basic_user_file" => Treatment::Passwords,
        "cors_origin_list" => Treatment::File(1),
        "geoip_country" | "geoip_city" | "geoip_org" => Treatment::File(0),
        "fastcgi_intercept_errors" | "uwsgi_intercept_errors" | "scgi_intercept_errors" | "grpc_intercept_errors" => {
            Treatment::Renamed("proxy_intercept_errors")
        }
        _ if APPLICATIONS.contains(&name) => Treatment::Application,
        _ if name.contains("_by_lua") => Treatment::Refuse,
        _ if DROPPED.contains(&name) || begins(DROPPED_PREFIXES) => Treatment::Drop,
        _ if KEPT.contains(&name) || begins(KEPT_PREFIXES) => Treatment::Keep,
        _ => Treatment::Refuse,
    }
}

/// Blocks whose entries are no directives.
pub fn holds_entries(name: &str) -> bool {
    matches!(
        name,
        "map" | "geo" | "types" | "split_clients" | "charset_map" | "cors_candidate"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_might_connect_elsewhere_is_refused() {
        for name in [
            "js_content",
            "access_by_lua_block",
            "perl",
            "auth_jwt_key_request",
            "push_stream_publisher",
        ] {
            assert_eq!(treatment(name), Treatment::Refuse, "{name}");
        }
    }

    #[test]
    fn no_application_is_asked() {
        for name in APPLICATIONS {
            assert_eq!(treatment(name), Treatment::Application, "{name}");
        }
    }

    #[test]
    fn caches_and_limits_are_left_out() {
        for name in [
            "proxy_cache",
            "proxy_cache_path",
            "fastcgi_cache_key",
            "limit_req",
            "proxy_ssl_certificate",
        ] {
            assert_eq!(treatment(name), Treatment::Drop, "{name}");
        }
        assert_eq!(treatment("limit_req_zone"), Treatment::Keep);
    }
}
