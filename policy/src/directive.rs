//! The directives by name.

/// A directive that makes up a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// `cors`
    Cors,
    /// `cors_allow_origin`
    AllowOrigin,
    /// `cors_allow_methods`
    AllowMethods,
    /// `cors_allow_headers`
    AllowHeaders,
    /// `cors_expose_headers`
    ExposeHeaders,
    /// `cors_allow_credentials`
    AllowCredentials,
    /// `cors_max_age`
    MaxAge,
    /// `cors_preflight_status`
    PreflightStatus,
    /// `cors_unsafe`
    Unsafe,
}

impl Directive {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Cors,
        Self::AllowOrigin,
        Self::AllowMethods,
        Self::AllowHeaders,
        Self::ExposeHeaders,
        Self::AllowCredentials,
        Self::MaxAge,
        Self::PreflightStatus,
        Self::Unsafe,
    ];

    /// Its name in a configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cors => "cors",
            Self::AllowOrigin => "cors_allow_origin",
            Self::AllowMethods => "cors_allow_methods",
            Self::AllowHeaders => "cors_allow_headers",
            Self::ExposeHeaders => "cors_expose_headers",
            Self::AllowCredentials => "cors_allow_credentials",
            Self::MaxAge => "cors_max_age",
            Self::PreflightStatus => "cors_preflight_status",
            Self::Unsafe => "cors_unsafe",
        }
    }

    /// The directive of this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|directive| directive.name().as_bytes() == name)
    }

    /// Whether it may be repeated at one level.
    pub(crate) fn is_list(self) -> bool {
        match self {
            Self::AllowOrigin | Self::AllowMethods | Self::AllowHeaders | Self::ExposeHeaders | Self::Unsafe => true,
            Self::Cors | Self::AllowCredentials | Self::MaxAge | Self::PreflightStatus => false,
        }
    }

    /// What to write where nothing was written.
    pub(crate) fn takes(self) -> &'static str {
        match self {
            Self::Cors => "\"on\" or \"off\"",
            Self::AllowOrigin => "\"*\", or origins such as \"https://app.example.com\"",
            Self::AllowMethods => "\"*\", or methods such as \"GET PUT\"",
            Self::AllowHeaders | Self::ExposeHeaders => "\"*\", or header names such as \"Content-Type\"",
            Self::AllowCredentials => "\"on\", \"off\", or origins such as \"https://app.example.com\"",
            Self::MaxAge => "a time such as \"2h\", or \"off\"",
            Self::PreflightStatus => "a status from 200 to 299",
            Self::Unsafe => "\"any_origin_credentials\", \"insecure_origins\", \"null_origin\", \"public_suffixes\" or \"broad_regex\"",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        for directive in Directive::ALL {
            assert_eq!(Directive::from_name(directive.name().as_bytes()), Some(directive));
        }
        assert_eq!(Directive::from_name(b"cors_allow"), None);
    }
}
