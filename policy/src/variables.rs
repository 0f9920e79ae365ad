//! Variables in the values of `cors_allow_origin`: where their values come from.

/// Where the value of a text with variables comes from. Those that are worse come last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// The server that the request was sent to.
    Server,
    /// A `map`, a `set` or another module: the value of the directive alone does not show it.
    Unknown,
    /// The request: whoever sends it chooses the value.
    Request,
}

/// Variables that name the server. A page cannot make a browser send another `Host` than that of the URL.
const OF_SERVER: [&str; 8] = [
    "host",
    "hostname",
    "http_host",
    "https",
    "scheme",
    "server_addr",
    "server_name",
    "server_port",
];

/// Variables that repeat a part of the request.
const OF_REQUEST: [&str; 10] = [
    "args",
    "content_type",
    "document_uri",
    "query_string",
    "remote_user",
    "request",
    "request_body",
    "request_filename",
    "request_uri",
    "uri",
];

/// Beginnings of the names of variables that repeat a part of the request.
const PREFIXES_OF_REQUEST: [&str; 3] = ["arg_", "cookie_", "http_"];

/// Whether a value is a text with variables. In a regular expression `$` is the end.
pub(crate) fn holds_variables(value: &str) -> bool {
    value.contains('$') && !value.starts_with('~')
}

/// Where the value of `text` comes from: the worst source among its variables.
pub(crate) fn source(text: &str) -> Source {
    names(text).map(source_of).max().unwrap_or(Source::Server)
}

fn source_of(name: &str) -> Source {
    // nginx compares the names of variables in lower case.
    let name = name.to_ascii_lowercase();
    if OF_SERVER.contains(&name.as_str()) {
        Source::Server
    } else if OF_REQUEST.contains(&name.as_str()) || PREFIXES_OF_REQUEST.iter().any(|prefix| name.starts_with(prefix)) {
        Source::Request
    } else {
        Source::Unknown
    }
}

/// The names of the variables in `text`: `$name` or `${name}`.
fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        end.and_then(|end| rest.get(..end)).unwrap_or(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_repeats_the_request_is_known_in_every_spelling() {
        for text in [
            "$http_origin",
            "$HTTP_ORIGIN",
            "$Http_Origin",
            "${http_origin}",
            "${HTTP_origin}",
            "$http_origin,",
            ",$http_origin",
            "https://a.example,$http_origin",
            "$scheme://$http_x_forwarded_host",
            "https://${arg_tenant}.example.com",
            "$arg_o",
            "$cookie_x",
            "$http_referer",
            "$args",
            "$query_string",
            "$request",
            "$request_uri",
            "$uri",
            "$origins$arg_o",
        ] {
            assert_eq!(source(text), Source::Request, "{text}");
        }
    }

    #[test]
    fn what_a_map_yields_is_not_known() {
        for text in [
            "$origins",
            "$my_http_origin",
            "https://$tenant.example.com",
            "$1",
            "$",
            "${",
        ] {
            assert_eq!(source(text), Source::Unknown, "{text}");
        }
    }

    #[test]
    fn the_name_of_the_server_itself_is_no_echo() {
        for text in [
            "https://$host",
            "$scheme://$http_host",
            "https://www.$server_name",
            "$SCHEME://$Host",
        ] {
            assert_eq!(source(text), Source::Server, "{text}");
        }
    }
}
