//! The directives that choose one of a few words: how the policy is applied.

/// `cors_preflight`: what happens to a preflight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreflightMode {
    /// It is answered in the access phase.
    #[default]
    Answer,
    /// It is answered before a location is chosen, by the policy of the server.
    Early,
    /// The application answers it.
    Pass,
}

/// `cors_enforce`: which actual requests of denied origins are blocked, and not only made unreadable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Enforce {
    /// None.
    #[default]
    Off,
    /// Those that ask for a WebSocket, which browsers let every origin open and read.
    WebSocket,
    /// All.
    On,
}

/// `cors_log_level`: the level at which denials are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// `info`
    #[default]
    Info,
    /// `notice`
    Notice,
    /// `warn`
    Warn,
    /// `error`
    Error,
}

/// The value of a setting by its word.
pub(crate) trait Word: Sized + Copy + 'static {
    /// All words.
    const WORDS: &'static [(&'static str, Self)];
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
