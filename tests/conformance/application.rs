//! The application behind each gateway: it knows nothing of CORS but what does harm.

use harness::Upstream;

/// What it answers depends on the path: `.../own-headers` has headers of CORS, as applications send them by mistake, and
/// `.../broken` no answer at all.
pub fn start() -> Upstream {
    Upstream::start(|request| {
        let path = request.target.as_str();
        if path.ends_with("/broken") {
            return Vec::new();
        }
        let status = match request.method.as_str() {
            _ if path.ends_with("no-such-file") => "404 Not Found",
            "PROPFIND" => "405 Method Not Allowed",
            "GET" if request.get("If-None-Match").is_some() => "304 Not Modified",
            "GET" if request.get("Range").is_some() => "206 Partial Content",
            _ => "200 OK",
        };
        let mut head =
            format!("HTTP/1.1 {status}\r\nConnection: close\r\nETag: \"1\"\r\nAllow: GET, HEAD, POST, PUT\r\n");
        if path.ends_with("/own-headers") {
            head +=
                "Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Credentials: true\r\nVary: Accept-Encoding\r\n";
        }
        if status.starts_with("206") {
            head += "Content-Range: bytes 0-0/1\r\n";
        }
        match status.starts_with("304") {
            true => format!("{head}\r\n"),
            false if request.method == "HEAD" => format!("{head}Content-Length: 1\r\n\r\n"),
            false => format!("{head}Content-Length: 1\r\n\r\n."),
        }
        .into_bytes()
    })
}
