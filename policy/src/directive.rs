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
    /// `cors_preflight`
    Preflight,
    /// `cors_override`
    Override,
    /// `cors_enforce`
    Enforce,
    /// `cors_dry_run`
    DryRun,
    /// `cors_log_level`
    LogLevel,
    /// `cors_timing_allow_origin`
    TimingAllowOrigin,
    /// `cors_allow_private_network`
    AllowPrivateNetwork,
    /// `cors_unsafe`
    Unsafe,
}

impl Directive {
    /// All directives.
    pub const ALL: [Self; 16] = [
        Self::Cors,
        Self::AllowOrigin,
        Self::AllowMethods,
        Self::AllowHeaders,
        Self::ExposeHeaders,
        Self::AllowCredentials,
        Self::MaxAge,
        Self::PreflightStatus,
        Self::Preflight,
        Self::Override,
        Self::Enforce,
        Self::DryRun,
        Self::LogLevel,
        Self::TimingAllowOrigin,
        Self::AllowPrivateNetwork,
        Self::Unsafe,
    ];

    /// The name in a configuration.
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
            Self::Preflight => "cors_preflight",
            Self::Override => "cors_override",
            Self::Enforce => "cors_enforce",
            Self::DryRun => "cors_dry_run",
            Self::LogLevel => "cors_log_level",
            Self::TimingAllowOrigin => "cors_timing_allow_origin",
            Self::AllowPrivateNetwork => "cors_allow_private_network",
            Self::Unsafe => "cors_unsafe",
        }
    }

    /// The directive of this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|directive| directive.name().as_bytes() == name)
    }

    /// The values that it takes, as messages show them.
    pub(crate) fn takes(self) -> &'static str {
        match self {
            Self::Cors | Self::Override | Self::DryRun | Self::TimingAllowOrigin | Self::AllowPrivateNetwork => {
                "\"on\" or \"off\""
            }
            Self::Preflight => "\"answer\", \"early\" or \"pass\"",
            Self::Enforce => "\"off\", \"websocket\" or \"on\"",
            Self::LogLevel => "\"info\", \"notice\", \"warn\" or \"error\"",
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
