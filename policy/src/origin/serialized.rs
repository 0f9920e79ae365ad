//! The value of a request's `Origin` header.

/// Longer than any origin that resolves: a scheme, a host name of 253 bytes (RFC 1035) and a port fit many times.
pub(super) const LONGEST: usize = 512;

/// The origin of pages from files, where the embedder of Chromium lets them make requests, as Android's WebView can.
/// Browsers send `null` for them.
pub(crate) const LOCAL_FILES: &str = "file://";

/// A tuple origin exactly as a browser serialises it
/// ([HTML](https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SerializedOrigin<'a> {
    pub scheme: &'a [u8],
    pub host: &'a [u8],
    pub port: Option<u16>,
}

impl<'a> SerializedOrigin<'a> {
    /// Takes `bytes` apart, or refuses what no browser sends: upper case, spaces, a path, userinfo, a default port.
    /// [`LOCAL_FILES`] is the only origin without a host.
    pub(crate) fn recognize(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() > LONGEST {
            return None;
        }
        let (scheme, authority) = match (bytes.strip_prefix(b"https://"), bytes.strip_prefix(b"http://")) {
            (Some(authority), _) => (&b"https"[..], authority),
            (_, Some(authority)) => (&b"http"[..], authority),
            _ => {
                let colon = bytes.iter().position(|&byte| byte == b':')?;
                let (scheme, rest) = bytes.split_at_checked(colon)?;
                let authority = rest.strip_prefix(b"://").filter(|_| is_scheme(scheme))?;
                if scheme == b"file" {
                    let local_files = Self {
                        scheme,
                        host: b"",
                        port: None,
                    };
                    return authority.is_empty().then_some(local_files);
                }
                (scheme, authority)
            }
        };
        let (host, port) = match authority {
            [b'[', ..] => {
                let end = authority.iter().position(|&byte| byte == b']')?;
                let (host, port) = authority.split_at_checked(end + 1)?;
                let address = host.get(1..end)?;
                if address.is_empty()
                    || !address
                        .iter()
                        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f' | b':' | b'.'))
                {
                    return None;
                }
                (host, port)
            }
            _ => {
                let end = authority.iter().position(|&byte| !is_host_byte(byte));
                let end = end.unwrap_or(authority.len());
                authority.split_at_checked(end)?
            }
        };
        if host.is_empty() {
            return None;
        }
        let port = match port {
            [] => None,
            [b':', digits @ ..] => Some(port_number(digits)?),
            _ => return None,
        };
        if port.is_some() && port == default_port(scheme) {
            return None;
        }
        Some(Self { scheme, host, port })
    }

    /// Whether an operator who writes this origin means just these bytes, as can be seen without parsing the host: it is no
    /// address, no Punycode to check, and has no empty label. Hosts of schemes that are not the web's are opaque, and the
    /// URL standard leaves them as they are.
    pub(crate) fn is_plain(&self) -> bool {
        if !is_web_scheme(self.scheme) {
            return match self.host {
                [b'[', ..] => false,
                [b'.', rest @ ..] => rest.is_empty(),
                _ => true,
            };
        }
        let mut last_label: &[u8] = b"";
        for label in self.host.split(|&byte| byte == b'.') {
            if label.is_empty()
                || label.starts_with(b"xn--")
                || !label
                    .iter()
                    .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            {
                return false;
            }
            last_label = label;
        }
        // A host whose last label is a number is an IPv4 address, in one of its notations.
        last_label.first().is_some_and(u8::is_ascii_lowercase)
    }
}

/// Scheme, host and port of an origin, which may be none: where there is no port, no one has looked at the host.
#[inline]
pub(super) fn split(bytes: &[u8]) -> Option<(&[u8], &[u8], Option<u16>)> {
    if let (Some(b"https://"), Some(host @ [.., last])) = (bytes.get(..8), bytes.get(8..)) {
        // An address, or a port.
        if !last.is_ascii_digit() && *last != b']' {
            return Some((b"https", host, None));
        }
    }
    let origin = SerializedOrigin::recognize(bytes)?;
    Some((origin.scheme, origin.host, origin.port))
}

/// What a label of a host consists of.
#[inline]
pub(super) fn is_label_byte(byte: u8) -> bool {
    is_host_byte(byte) && byte != b'.'
}

/// Whether these are one or more labels of a host.
pub(super) fn are_labels(bytes: &[u8]) -> bool {
    let mut is_empty = true;
    for &byte in bytes {
        if is_label_byte(byte) {
            is_empty = false;
        } else if byte == b'.' && !is_empty {
            is_empty = true;
        } else {
            return false;
        }
    }
    !is_empty
}

/// What a host that is a name consists of. A table takes one look where comparisons take ten.
#[inline]
pub(super) fn is_host_byte(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            #[allow(clippy::indexing_slicing)] // evaluated by the compiler
            {
                table[byte] = matches!(byte as u8, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
            }
            byte += 1;
        }
        table
    };
    #[allow(clippy::indexing_slicing)] // a u8 is always inside a table of 256
    TABLE[usize::from(byte)]
}

/// RFC 3986, section 3.1, in the lower case that browsers send.
pub(super) fn is_scheme(bytes: &[u8]) -> bool {
    bytes.first().is_some_and(u8::is_ascii_lowercase)
        && bytes
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

/// A port as browsers write it: decimal, no leading zero.
pub(super) fn port_number(digits: &[u8]) -> Option<u16> {
    if digits.len() > 5 || digits.first().is_none_or(|first| *first == b'0') {
        return None;
    }
    let mut number = 0_u32;
    for digit in digits {
        number = number * 10 + u32::from(digit.checked_sub(b'0').filter(|value| *value < 10)?);
    }
    u16::try_from(number).ok()
}

/// The ports that are left out of an origin ([URL](https://url.spec.whatwg.org/#default-port)).
pub(crate) fn default_port(scheme: &[u8]) -> Option<u16> {
    match scheme {
        b"http" | b"ws" => Some(80),
        b"https" | b"wss" => Some(443),
        b"ftp" => Some(21),
        _ => None,
    }
}

/// Whether URLs with this scheme have the origins of the web: it is special in the URL standard, and no `file`.
pub(crate) fn is_web_scheme(scheme: &[u8]) -> bool {
    default_port(scheme).is_some()
}

/// Whether an origin stands for no site: any page can make itself `null` with a sandboxed frame, and every file on a
/// device has the origin of files.
pub(crate) fn stands_for_no_site(origin: &[u8]) -> bool {
    origin == b"null" || origin == LOCAL_FILES.as_bytes()
}

/// Whether an origin travels in the clear. Loopback does not travel, and `localhost` is loopback (RFC 6761, 6.3).
pub(crate) fn is_insecure(origin: &str) -> bool {
    let Some(authority) = origin.strip_prefix("http://") else {
        return false;
    };
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    let loopback = name == "localhost"
        || name.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback());
    !loopback
}

/// Whether `bytes` are an origin, be it the opaque one.
pub(crate) fn is_origin(bytes: &[u8]) -> bool {
    bytes == b"null" || SerializedOrigin::recognize(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_send_is_taken_apart() {
        for (origin, scheme, host, port) in [
            ("https://app.example.com", "https", "app.example.com", None),
            ("http://localhost:3000", "http", "localhost", Some(3000)),
            ("http://[::1]:8080", "http", "[::1]", Some(8080)),
            ("http://127.0.0.1:65535", "http", "127.0.0.1", Some(65535)),
            ("https://under_score.example.", "https", "under_score.example.", None),
            ("capacitor://localhost", "capacitor", "localhost", None),
            ("chrome-extension://abcdef", "chrome-extension", "abcdef", None),
            ("https://example.com:80", "https", "example.com", Some(80)),
            ("app://.", "app", ".", None),
            ("file://", "file", "", None),
        ] {
            let seen = SerializedOrigin::recognize(origin.as_bytes()).unwrap();
            assert_eq!(
                (seen.scheme, seen.host, seen.port),
                (scheme.as_bytes(), host.as_bytes(), port)
            );
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for origin in [
            "",
            "null",
            "example.com",
            "//example.com",
            "://example.com",
            "https:/example.com",
            "https://",
            "https://:80",
            "HTTPS://example.com",
            "https://Example.com",
            "https://example.com/",
            "https://example.com/a",
            "https://example.com?",
            "https://example.com#",
            "https://user@example.com",
            "https://a.example.com@evil.net",
            "https://a.example.com`.evil.net",
            " https://example.com",
            "https://example.com ",
            "https://exa mple.com",
            "https://example.com:",
            "https://example.com:0",
            "https://example.com:080",
            "https://example.com:65536",
            "https://example.com:443",
            "http://example.com:80",
            "https://example.com:8443:1",
            "https://example.com:8a",
            "https://[::1",
            "https://[]",
            "https://[::1]8080",
            "https://[::G]",
            "https://ex\u{e4}mple.com",
            "https://a%41.com",
            "https://a.com,https://b.com",
            "https://a.com https://b.com",
            "1https://example.com",
            "https://*.example.com",
            "file:///",
            "file://server",
            "file://:80",
            "files://",
        ] {
            assert_eq!(SerializedOrigin::recognize(origin.as_bytes()), None, "{origin}");
        }
    }

    #[test]
    fn a_host_longer_than_names_can_be_costs_nothing() {
        let long = format!("https://{}.example.com", "a".repeat(600));
        assert_eq!(SerializedOrigin::recognize(long.as_bytes()), None);
    }

    #[test]
    fn loopback_is_not_insecure() {
        for origins in [
            "http://localhost",
            "http://localhost:3000",
            "http://a.localhost",
            "http://*.localhost",
            "http://localhost.",
            "http://127.0.0.1:8080",
            "http://127.9.9.9",
            "http://[::1]:1",
            "https://example.com",
            "capacitor://localhost",
            "http://localhost:*",
        ] {
            assert!(!is_insecure(origins), "{origins}");
        }
        for origins in [
            "http://example.com",
            "http://*.example.com",
            "http://192.168.0.1:*",
            "http://notlocalhost",
            "http://localhost.example",
        ] {
            assert!(is_insecure(origins), "{origins}");
        }
    }
}
