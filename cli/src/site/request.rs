//! A request that is tried on a configuration.

/// A request, as far as a configuration can ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: &'static str,
    /// The header `Origin`.
    pub origin: Option<String>,
    /// It carries `Access-Control-Request-Method`: it is a preflight.
    pub asks_for: Option<&'static str>,
    /// The status of the response, where the location's content decides it.
    pub status: u16,
}

impl Request {
    /// A `GET` from a page of this origin.
    pub fn get(origin: Option<&str>) -> Self {
        Self {
            method: "GET",
            origin: origin.map(str::to_owned),
            asks_for: None,
            status: 200,
        }
    }

    /// The same, which fails.
    pub fn failing(self) -> Self {
        Self { status: 500, ..self }
    }

    pub fn with_method(self, method: &'static str) -> Self {
        Self { method, ..self }
    }

    /// The preflight for such a request.
    pub fn preflight(origin: Option<&str>, asks_for: &'static str) -> Self {
        Self {
            method: "OPTIONS",
            asks_for: Some(asks_for),
            ..Self::get(origin)
        }
    }

    /// The value of a header by the name that nginx has for it in variables (`http_...`).
    pub fn header(&self, name: &str) -> &str {
        match name {
            "origin" => self.origin.as_deref().unwrap_or_default(),
            "access_control_request_method" => self.asks_for.unwrap_or_default(),
            "access_control_request_headers" if self.asks_for.is_some() => "content-type",
            _ => "",
        }
    }
}
