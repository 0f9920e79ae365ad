//! The directives by name.

use std::ffi::CStr;

/// Makes the type of the directives from a table: each with its name in a configuration, and the values that it takes, as
/// messages show them.
macro_rules! directives {
    ($($variant:ident $name:literal $takes:literal)+) => {
        /// A directive that makes up a policy.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Directive {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl Directive {
            /// All directives.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in a configuration.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The name as C writes it, with a zero byte at the end.
            pub const fn c_name(self) -> &'static CStr {
                let name = match self { $(Self::$variant => concat!($name, "\0"),)+ };
                match CStr::from_bytes_with_nul(name.as_bytes()) {
                    Ok(name) => name,
                    Err(_) => c"",
                }
            }

            /// The values that it takes, as messages show them.
            pub(crate) fn takes(self) -> &'static str {
                match self { $(Self::$variant => $takes,)+ }
            }
        }
    };
}

directives! {
    Cors                "cors"                       r#""on" or "off""#
    AllowOrigin         "cors_allow_origin"          r#""*", or origins such as "https://app.example.com""#
    AllowMethods        "cors_allow_methods"         r#""*", or methods such as "GET PUT""#
    AllowHeaders        "cors_allow_headers"         r#""*", or header names such as "Content-Type""#
    ExposeHeaders       "cors_expose_headers"        r#""*", or header names such as "Content-Type""#
    AllowCredentials    "cors_allow_credentials"     r#""on", "off", or origins such as "https://app.example.com""#
    MaxAge              "cors_max_age"               r#"a time such as "2h", or "off""#
    PreflightStatus     "cors_preflight_status"      r#"a status from 200 to 299"#
    Preflight           "cors_preflight"             r#""answer", "early" or "pass""#
    Override            "cors_override"              r#""on" or "off""#
    Enforce             "cors_enforce"               r#""off", "websocket" or "on""#
    DryRun              "cors_dry_run"               r#""on" or "off""#
    LogLevel            "cors_log_level"             r#""info", "notice", "warn" or "error""#
    TimingAllowOrigin   "cors_timing_allow_origin"   r#""on" or "off""#
    AllowPrivateNetwork "cors_allow_private_network" r#""on" or "off""#
    Unsafe              "cors_unsafe"                r#""any_origin_credentials", "insecure_origins", "null_origin", "public_suffixes" or "broad_regex""#
}

impl Directive {
    /// The directive of this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let mut all = Self::ALL.iter().copied();
        all.find(|directive| directive.name().as_bytes() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_again() {
        for &directive in Directive::ALL {
            assert_eq!(Directive::from_name(directive.name().as_bytes()), Some(directive));
            assert_eq!(directive.c_name().to_bytes(), directive.name().as_bytes());
        }
        assert_eq!(Directive::from_name(b"cors_allow"), None);
    }
}
