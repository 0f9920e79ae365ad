//! The page for a person. It is the same for everyone, and asks for the figures itself.

/// The page.
pub const HTML: &str = include_str!(concat!(env!("OUT_DIR"), "/page.html"));

/// What it may do: its `Content-Security-Policy`.
pub const POLICY: &str = include_str!(concat!(env!("OUT_DIR"), "/page.csp"));
