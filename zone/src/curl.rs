//! The line for a terminal that sends a request for real.

use crate::query::TryRequest;

/// An address on which a server listens.
#[derive(Clone, Debug)]
pub struct Listener {
    /// As nginx writes it: `0.0.0.0:80`, `[::]:80`, `unix:/run/nginx.sock`.
    pub address: String,
    /// Whether it speaks TLS.
    pub is_tls: bool,
}

impl Listener {
    /// The line that sends the request to a location of a server, or its preflight, from the machine on which nginx runs.
    /// There is none if no path leads to the location by its name (a regular expression), or no host name to the server.
    pub(crate) fn curl(
        &self,
        server: &str,
        location: &str,
        question: &TryRequest,
        method: &str,
        is_preflight: bool,
    ) -> Option<String> {
        let path = ["= ", "^~ "]
            .iter()
            .find_map(|modifier| location.strip_prefix(modifier))
            .unwrap_or(location);
        if !path.starts_with('/') {
            return None;
        }
        let mut line = "curl -i".to_owned();
        let authority = match self.address.strip_prefix("unix:") {
            Some(socket) => {
                line += &format!(" --unix-socket {}", quoted(socket)?);
                host_of(server, "localhost")?
            }
            None => {
                let (host, port) = self.address.rsplit_once(':')?;
                let host = match host {
                    "0.0.0.0" | "*" => "127.0.0.1",
                    "[::]" => "[::1]",
                    host => host,
                };
                line += &format!(" --connect-to {}", quoted(&format!("::{host}:{port}"))?);
                let host = host_of(server, host)?;
                if port == if self.is_tls { "443" } else { "80" } {
                    host
                } else {
                    format!("{host}:{port}")
                }
            }
        };
        let scheme = if self.is_tls { "https" } else { "http" };
        match method {
            _ if is_preflight => line += " -X OPTIONS",
            "GET" => {}
            "HEAD" => line += " --head",
            method => line += &format!(" -X {}", quoted(method)?),
        }
        line += &format!(" {}", quoted(&format!("{scheme}://{authority}{path}"))?);
        let mut header = |name: &str, value: &str| {
            line += &format!(" -H {}", quoted(&format!("{name}: {value}"))?);
            Some(())
        };
        header("Origin", &question.origin)?;
        if is_preflight {
            header("Access-Control-Request-Method", method)?;
        }
        let mut names: Vec<_> = question.header_names().map(str::to_ascii_lowercase).collect();
        names.sort_unstable();
        if !is_preflight {
            names.iter().try_for_each(|name| header(name, "test"))?;
        } else if !names.is_empty() {
            header("Access-Control-Request-Headers", &names.join(","))?;
        }
        Some(line)
    }
}

/// A host name that leads to the server of this name, among those that listen on `host`.
fn host_of(server: &str, host: &str) -> Option<String> {
    // Of servers with one name all but the first have a number.
    let name = server.split('#').next().unwrap_or_default();
    if name == "_" {
        return Some(host.to_owned());
    }
    if name.starts_with('~') {
        return None;
    }
    let name = name.strip_prefix('.').unwrap_or(name);
    let name = match name.strip_prefix("*.") {
        Some(domain) => format!("any.{domain}"),
        None => name.to_owned(),
    };
    Some(match name.strip_suffix(".*") {
        Some(start) => format!("{start}.com"),
        None => name,
    })
}

/// One word of a shell; nothing if a terminal could take it for more.
fn quoted(text: &str) -> Option<String> {
    let plain = !text.chars().any(char::is_control);
    plain.then(|| format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(origin: &str, headers: &str) -> TryRequest {
        TryRequest {
            origin: origin.to_owned(),
            headers: headers.to_owned(),
            ..TryRequest::default()
        }
    }

    fn listener(address: &str, is_tls: bool) -> Listener {
        Listener {
            address: address.to_owned(),
            is_tls,
        }
    }

    #[test]
    fn a_preflight_and_its_request() {
        let listener = listener("0.0.0.0:8080", false);
        let question = question("https://app.example.com", "X-Two, Content-Type");
        let line = |is_preflight| {
            listener
                .curl("shop.example.com", "/api/", &question, "PUT", is_preflight)
                .unwrap()
        };
        assert_eq!(
            line(true),
            "curl -i --connect-to '::127.0.0.1:8080' -X OPTIONS 'http://shop.example.com:8080/api/' \
            -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: PUT' \
            -H 'Access-Control-Request-Headers: content-type,x-two'"
        );
        assert_eq!(
            line(false),
            "curl -i --connect-to '::127.0.0.1:8080' -X 'PUT' 'http://shop.example.com:8080/api/' \
            -H 'Origin: https://app.example.com' -H 'content-type: test' -H 'x-two: test'"
        );
    }

    #[test]
    fn the_address_of_a_server() {
        let url = |address: &str, is_tls, server: &str| {
            let line = listener(address, is_tls).curl(server, "/", &question("x", ""), "GET", false)?;
            line.split('\'')
                .find(|word| word.starts_with("http"))
                .map(str::to_owned)
        };
        for (address, is_tls, server, expected) in [
            ("0.0.0.0:80", false, "a.example", "http://a.example/"),
            ("0.0.0.0:443", true, "a.example#2", "https://a.example/"),
            ("[::]:443", false, "*.a.example", "http://any.a.example:443/"),
            ("[::1]:81", false, "_", "http://[::1]:81/"),
            ("192.0.2.1:80", false, ".a.example", "http://a.example/"),
            ("192.0.2.1:80", false, "www.a.*", "http://www.a.com/"),
            ("unix:/run/a.sock", false, "_", "http://localhost/"),
        ] {
            assert_eq!(url(address, is_tls, server).as_deref(), Some(expected));
        }
        assert_eq!(url("0.0.0.0:80", false, "~^a"), None);
    }

    #[test]
    fn no_path_leads_to_a_location_without_one() {
        let listener = listener("127.0.0.1:80", false);
        let line = |location: &str| listener.curl("a.example", location, &question("x", ""), "GET", false);
        for location in ["~ ^/a", "@app"] {
            assert_eq!(line(location), None, "{location}");
        }
        for location in ["= /a", "^~ /a", "/a"] {
            assert!(line(location).unwrap().contains("'http://a.example/a'"), "{location}");
        }
    }

    #[test]
    fn a_shell_takes_what_was_asked_for_one_word() {
        let listener = listener("127.0.0.1:80", false);
        let line = |origin: &str| listener.curl("a.example", "/", &question(origin, ""), "GET", false);
        let quoted = line("x'; reboot; '").unwrap();
        assert!(quoted.ends_with(r"-H 'Origin: x'\''; reboot; '\'''"), "{quoted}");
        assert_eq!(line("x\ny"), None);
    }
}
