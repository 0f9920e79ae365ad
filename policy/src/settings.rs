//! The directives that choose one of a few words: how the policy is applied.

use crate::directive::Directive;
use crate::given::{Given, Report, Word};
use crate::problem::Position;

/// Makes, from one table, the settings in force and those that one level gives: each with its name, type, default and
/// directive.
macro_rules! settings {
    ($($(#[$doc:meta])+ $name:ident: $type:ty = $default:expr, $directive:ident;)+) => {
        /// The settings of a policy.
        #[derive(Clone, Copy, Debug)]
        pub struct Settings {
            $($(#[$doc])+ pub $name: $type,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        /// The settings that one level gives.
        #[derive(Debug, Default)]
        pub(crate) struct GivenSettings {
            $(pub $name: Option<Given<$type>>,)+
        }

        impl GivenSettings {
            /// Reads the values of a directive, if it is one of these.
            pub(crate) fn read(&mut self, values: &[&[u8]], report: &mut Report<'_>) {
                match report.directive {
                    $(Directive::$directive => report.choose(&mut self.$name, values),)+
                    _ => {}
                }
            }

            /// Where a directive was given, if it is one of these.
            pub(crate) fn position(&self, directive: Directive) -> Option<&Position> {
                match directive {
                    $(Directive::$directive => self.$name.as_ref().map(|given| &given.at),)+
                    _ => None,
                }
            }

            /// Puts the settings in the place of those that are inherited.
            pub(crate) fn replace(&self, inherited: &mut Settings) {
                $(Given::replace(&self.$name, &mut inherited.$name);)+
            }
        }
    };
}

settings! {
    /// What happens to a preflight.
    preflight: PreflightMode = PreflightMode::Answer, Preflight;
    /// Whether the policy's headers replace those that the response has, or are left out where it has any.
    overrides: bool = true, Override;
    /// Which actual requests of denied origins are blocked.
    enforce: Enforce = Enforce::Off, Enforce;
    /// Whether the policy decides, but changes no response.
    dry_run: bool = false, DryRun;
    /// The level at which denials are logged.
    log_level: LogLevel = LogLevel::Error, LogLevel;
    /// Whether `Timing-Allow-Origin` names the origins that are allowed, too.
    timing_allow_origin: bool = false, TimingAllowOrigin;
    /// Whether preflights for a private network are answered with leave.
    allow_private_network: bool = false, AllowPrivateNetwork;
}

/// `cors_preflight`: what happens to a preflight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PreflightMode {
    /// It is answered in the access phase.
    Answer,
    /// It is answered before a location is chosen, by the policy of the server.
    Early,
    /// The application answers it.
    Pass,
}

impl PreflightMode {
    /// The word of the directive.
    pub fn as_str(self) -> &'static str {
        let mut words = Self::WORDS.iter();
        words.find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

/// `cors_enforce`: which actual requests of denied origins are blocked, and not only made unreadable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforce {
    /// None.
    Off,
    /// Those that ask for a WebSocket, which browsers let every origin open and read.
    WebSocket,
    /// All.
    On,
}

/// `cors_log_level`: the level at which denials are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogLevel {
    /// `info`
    Info,
    /// `notice`
    Notice,
    /// `warn`
    Warn,
    /// `error`
    Error,
}

impl Word for bool {
    const WORDS: &'static [(&'static str, Self)] = &[("on", true), ("off", false)];
}

impl Word for PreflightMode {
    const WORDS: &'static [(&'static str, Self)] =
        &[("answer", Self::Answer), ("early", Self::Early), ("pass", Self::Pass)];
}

impl Word for Enforce {
    const WORDS: &'static [(&'static str, Self)] =
        &[("off", Self::Off), ("websocket", Self::WebSocket), ("on", Self::On)];
}

impl Word for LogLevel {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("info", Self::Info),
        ("notice", Self::Notice),
        ("warn", Self::Warn),
        ("error", Self::Error),
    ];
}
