//! The names of the response headers that belong to CORS.

/// A header of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderName {
    /// `Access-Control-Allow-Origin`
    AllowOrigin,
    /// `Access-Control-Allow-Credentials`
    AllowCredentials,
    /// `Access-Control-Allow-Methods`
    AllowMethods,
    /// `Access-Control-Allow-Headers`
    AllowHeaders,
    /// `Access-Control-Expose-Headers`
    ExposeHeaders,
    /// `Access-Control-Max-Age`
    MaxAge,
    /// `Access-Control-Allow-Private-Network`
    AllowPrivateNetwork,
    /// `Timing-Allow-Origin`
    TimingAllowOrigin,
    /// `Vary`
    Vary,
}

impl HeaderName {
    /// As it is written in HTTP/1.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllowOrigin => "Access-Control-Allow-Origin",
            Self::AllowCredentials => "Access-Control-Allow-Credentials",
            Self::AllowMethods => "Access-Control-Allow-Methods",
            Self::AllowHeaders => "Access-Control-Allow-Headers",
            Self::ExposeHeaders => "Access-Control-Expose-Headers",
            Self::MaxAge => "Access-Control-Max-Age",
            Self::AllowPrivateNetwork => "Access-Control-Allow-Private-Network",
            Self::TimingAllowOrigin => "Timing-Allow-Origin",
            Self::Vary => "Vary",
        }
    }

    /// As it is written in HTTP/2 and 3.
    pub const fn as_lower_str(self) -> &'static str {
        match self {
            Self::AllowOrigin => "access-control-allow-origin",
            Self::AllowCredentials => "access-control-allow-credentials",
            Self::AllowMethods => "access-control-allow-methods",
            Self::AllowHeaders => "access-control-allow-headers",
            Self::ExposeHeaders => "access-control-expose-headers",
            Self::MaxAge => "access-control-max-age",
            Self::AllowPrivateNetwork => "access-control-allow-private-network",
            Self::TimingAllowOrigin => "timing-allow-origin",
            Self::Vary => "vary",
        }
    }
}

pub(crate) const TIMING_ALLOW_ORIGIN: &[u8] = b"Timing-Allow-Origin";

/// Whether a response header of this name belongs to CORS.
#[inline]
pub(crate) fn is_governed(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"access-control-";
    // Most names are shorter, or begin with other letters.
    name.get(..PREFIX.len())
        .is_some_and(|prefix| matches!(prefix, [b'a' | b'A', ..]) && prefix.eq_ignore_ascii_case(PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn governed_are_the_headers_of_cors_alone() {
        for name in [
            "Access-Control-Allow-Origin",
            "access-control-max-age",
            "ACCESS-CONTROL-X",
        ] {
            assert!(is_governed(name.as_bytes()), "{name}");
        }
        for name in ["Access-Control", "X-Access-Control-Allow-Origin", "Vary", ""] {
            assert!(!is_governed(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn lower_names_are_the_names_in_lower_case() {
        for name in [
            HeaderName::AllowOrigin,
            HeaderName::AllowCredentials,
            HeaderName::AllowMethods,
            HeaderName::AllowHeaders,
            HeaderName::ExposeHeaders,
            HeaderName::MaxAge,
            HeaderName::AllowPrivateNetwork,
            HeaderName::TimingAllowOrigin,
            HeaderName::Vary,
        ] {
            assert_eq!(name.as_str().to_ascii_lowercase(), name.as_lower_str());
        }
    }
}
