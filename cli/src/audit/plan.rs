//! Which requests are asked, and what for.

use super::exchange::{Request, Response, Version};
use super::hostile::{Variant, STRANGER};
use super::purpose::Purpose;
use super::recording::Recording;
use super::subject::Subject;

/// A request that is to be asked.
#[derive(Clone, Debug)]
pub struct Planned {
    pub purpose: Purpose,
    /// Which of the paths is asked for.
    pub path: usize,
    /// The allowed origin that it is about.
    pub origin: String,
    pub request: Request,
}

/// A method that no server knows.
pub const ANY_METHOD: &str = "NGINX-CORS-AUDIT";

/// A method that changes nothing (RFC 4918, section 9.1), and that hardly any server takes.
const REFUSED_METHOD: &str = "PROPFIND";

/// A file that there is not.
const NO_FILE: &str = "nginx-cors-audit-no-such-file";

/// The requests for a path, as they are being planned.
struct PathPlan<'s> {
    subject: &'s Subject,
    path: usize,
    target: &'s str,
    planned: Vec<Planned>,
}

/// The requests for all paths, in their order.
pub fn plan(subject: &Subject) -> Vec<Planned> {
    let mut all = Vec::new();
    for (path, target) in subject.targets.iter().enumerate() {
        let mut of_path = PathPlan {
            subject,
            path,
            target,
            planned: Vec::new(),
        };
        of_path.plan();
        all.append(&mut of_path.planned);
    }
    all
}

impl PathPlan<'_> {
    fn plan(&mut self) {
        let origins = &self.subject.origins;
        let Some(first) = origins.first() else {
            return;
        };
        self.add(Purpose::NoOrigin, first, self.get());
        for origin in origins {
            self.add(Purpose::Allowed, origin, self.get().header("Origin", origin));
            for method in &self.subject.methods {
                self.add(Purpose::Preflight, origin, self.preflight(origin, method));
            }
        }
        self.strangers(first);
        for origin in origins {
            self.hostile(origin);
        }
        self.other_answers(first);
        self.odd_requests(first);
        if self.subject.asks_unsafe_methods {
            self.unsafe_methods(first);
        }
    }

    fn add(&mut self, purpose: Purpose, origin: &str, request: Request) {
        self.planned.push(Planned {
            purpose,
            path: self.path,
            origin: origin.to_owned(),
            request,
        });
    }

    fn request(&self, method: &str) -> Request {
        Request::new(self.subject.version, method, self.target)
    }

    fn get(&self) -> Request {
        self.request("GET")
    }

    fn options(&self) -> Request {
        Request {
            has_given_headers: false,
            ..self.request("OPTIONS")
        }
    }

    /// As a browser sends it (Fetch, CORS-preflight fetch, steps 1 to 5).
    fn preflight(&self, origin: &str, method: &str) -> Request {
        let request = self
            .options()
            .header("Origin", origin)
            .header("Access-Control-Request-Method", method);
        match self.subject.header_names.is_empty() {
            true => request,
            false => request.header("Access-Control-Request-Headers", self.subject.header_names.join(",")),
        }
    }

    /// The method that preflights ask for where it does not matter which.
    fn method(&self) -> String {
        self.subject.methods.first().cloned().unwrap_or_default()
    }

    fn strangers(&mut self, first: &str) {
        let method = self.method();
        for (purpose, preflight, origin) in [
            (Purpose::Stranger, Purpose::PreflightOfStranger, STRANGER),
            (Purpose::Null, Purpose::PreflightOfNull, "null"),
        ] {
            self.add(purpose, first, self.get().header("Origin", origin));
            self.add(preflight, first, self.preflight(origin, &method));
        }
        for origin in ["http://localhost", "http://localhost:3000"] {
            if !self.subject.origins.iter().any(|allowed| allowed == origin) {
                self.add(Purpose::Loopback, first, self.get().header("Origin", origin));
            }
        }
    }

    fn hostile(&mut self, origin: &str) {
        let method = self.method();
        for variant in Variant::ALL {
            for hostile in variant.of(origin) {
                if self.subject.origins.contains(&hostile) {
                    continue;
                }
                let actual = self.get().header("Origin", &hostile);
                self.add(Purpose::Hostile(variant), origin, actual);
                let preflight = self.preflight(&hostile, &method);
                self.add(Purpose::PreflightOfHostile(variant), origin, preflight);
            }
        }
    }

    fn other_answers(&mut self, origin: &str) {
        self.add(Purpose::Head, origin, self.request("HEAD").header("Origin", origin));
        let mut not_found = self.get().header("Origin", origin);
        not_found.target = missing(self.target);
        self.add(Purpose::NotFound, origin, not_found);
        let partial = self.get().header("Origin", origin).header("Range", "bytes=0-0");
        self.add(Purpose::Partial, origin, partial);
        self.add(Purpose::NotModified, origin, self.get().header("Origin", origin));
        let refused = self.request(REFUSED_METHOD).header("Origin", origin);
        self.add(Purpose::MethodNotAllowed, origin, refused);
        let own = self
            .get()
            .header("Origin", &self.subject.own_origin)
            .header("Sec-Fetch-Site", "same-origin");
        self.add(Purpose::SameOrigin, origin, own);
        for (purpose, page) in [(Purpose::WebSocket, origin), (Purpose::WebSocketOfStranger, STRANGER)] {
            // HTTP/2 has another handshake (RFC 8441), which few servers know.
            let upgrade = Request {
                version: Version::Http1,
                ..self.get()
            };
            let upgrade = upgrade
                .header("Origin", page)
                .header("Connection", "Upgrade")
                .header("Upgrade", "websocket")
                .header("Sec-WebSocket-Version", "13")
                // Any 16 bytes do (RFC 6455, section 4.1).
                .header("Sec-WebSocket-Key", "bmdpbngtY29ycyBhdWRpdA==");
            self.add(purpose, origin, upgrade);
        }
    }

    fn odd_requests(&mut self, origin: &str) {
        let two = self.get().header("Origin", origin).header("Origin", STRANGER);
        self.add(Purpose::TwoOrigins, origin, two);
        for malformed in [
            format!("{origin}, {STRANGER}"),
            format!("{origin} {STRANGER}"),
            format!("{STRANGER} {origin}"),
            format!("{origin},stranger"),
            "://".to_owned(),
        ] {
            let request = self.get().header("Origin", malformed);
            self.add(Purpose::MalformedOrigin, origin, request);
        }
        let any_method = self.preflight(origin, ANY_METHOD);
        self.add(Purpose::PreflightForAnyMethod, origin, any_method);
        let private = self.preflight(origin, &self.method());
        let private = private.header("Access-Control-Request-Private-Network", "true");
        self.add(Purpose::PreflightForPrivateNetwork, origin, private);
        let two_methods = self.preflight(origin, &self.method());
        let two_methods = two_methods.header("Access-Control-Request-Method", "GET");
        self.add(Purpose::PreflightForTwoMethods, origin, two_methods);
        self.add(Purpose::Options, origin, self.options());
        let with_origin = self.options().header("Origin", origin);
        self.add(Purpose::OptionsWithOrigin, origin, with_origin);
    }

    fn unsafe_methods(&mut self, origin: &str) {
        let own = self
            .request("POST")
            .header("Origin", &self.subject.own_origin)
            .header("Sec-Fetch-Site", "same-origin");
        self.add(Purpose::SameOriginPost, origin, own);
        self.add(Purpose::PostWithoutOrigin, origin, self.request("POST"));
        for method in &self.subject.methods {
            if !matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS") {
                let request = self.request(method).header("Origin", origin);
                self.add(Purpose::Unsafe, origin, request);
            }
        }
    }
}

/// A file that there is not, where the rules for `target` most likely hold: below it, or beside it with the same extension.
fn missing(target: &str) -> String {
    let path = target.split('?').next().unwrap_or_default();
    let (directory, name) = path.rsplit_once('/').unwrap_or(("", path));
    match name.rsplit_once('.') {
        Some((_, extension)) => format!("{directory}/{NO_FILE}.{extension}"),
        None if name.is_empty() => format!("{directory}/{NO_FILE}"),
        None => format!("{path}/{NO_FILE}"),
    }
}

/// The planned request as it can be sent when others have been answered; none where there is nothing to ask.
pub fn completed(planned: &Planned, recording: &Recording) -> Option<Request> {
    let request = planned.request.clone();
    if planned.purpose != Purpose::NotModified {
        return Some(request);
    }
    let whole = recording.answers(&[Purpose::Allowed]);
    let (_, whole) = whole
        .filter(|(exchange, _)| exchange.path == planned.path)
        .find(|(_, response)| response.status == 200)?;
    conditional(request, whole)
}

/// A request that a cache sends when it has `whole` already.
fn conditional(request: Request, whole: &Response) -> Option<Request> {
    if let Some(tag) = whole.values("etag").next() {
        return Some(request.header("If-None-Match", tag));
    }
    let time = whole.values("last-modified").next()?;
    Some(request.header("If-Modified-Since", time))
}

/// Whether the answer to it is compared with the one in another version of HTTP.
pub fn is_compared(planned: &Planned, subject: &Subject) -> bool {
    let is_first = subject.origins.first() == Some(&planned.origin);
    let is_first_method =
        planned.request.only("Access-Control-Request-Method") == subject.methods.first().map(String::as_str);
    match planned.purpose {
        Purpose::NoOrigin | Purpose::Stranger | Purpose::PreflightOfStranger => true,
        Purpose::Allowed => is_first,
        Purpose::Preflight => is_first && is_first_method,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::right::subject;

    #[test]
    fn nothing_that_changes_anything_is_asked_unless_told() {
        let mut subject = subject();
        subject.methods = ["GET", "PUT", "DELETE"].map(str::to_owned).to_vec();
        let methods = |subject: &Subject| {
            let planned = plan(subject);
            let mut methods: Vec<_> = planned.into_iter().map(|planned| planned.request.method).collect();
            methods.sort();
            methods.dedup();
            methods
        };
        assert_eq!(methods(&subject), ["GET", "HEAD", "OPTIONS", "PROPFIND"]);
        subject.asks_unsafe_methods = true;
        assert_eq!(
            methods(&subject),
            ["DELETE", "GET", "HEAD", "OPTIONS", "POST", "PROPFIND", "PUT"]
        );
    }

    #[test]
    fn preflights_ask_as_browsers_do_and_carry_nothing_of_the_user() {
        let planned = plan(&subject());
        let preflight = planned
            .iter()
            .find(|planned| planned.purpose == Purpose::Preflight)
            .unwrap();
        assert_eq!(
            preflight.request.only("Access-Control-Request-Headers"),
            Some("authorization,content-type")
        );
        assert!(!preflight.request.has_given_headers);
    }

    #[test]
    fn an_origin_that_is_allowed_is_no_hostile_one() {
        let mut subject = subject();
        subject.origins.push("http://app.example.com".to_owned());
        let planned = plan(&subject);
        let scheme = planned
            .iter()
            .filter(|planned| planned.purpose == Purpose::Hostile(Variant::Scheme));
        assert_eq!(scheme.count(), 0);
    }

    #[test]
    fn a_file_that_there_is_not_lies_where_the_rules_for_the_path_hold() {
        for (target, file) in [
            ("/", "/nginx-cors-audit-no-such-file"),
            ("/api/", "/api/nginx-cors-audit-no-such-file"),
            ("/api/users?id=1/2", "/api/users/nginx-cors-audit-no-such-file"),
            ("/files/logo.svg", "/files/nginx-cors-audit-no-such-file.svg"),
        ] {
            assert_eq!(missing(target), file);
        }
    }
}
