//! `cors_unsafe`: what the operator has permitted.

/// The value of `cors_unsafe`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnsafeOptions {
    pub any_origin_credentials: bool,
    pub insecure_origins: bool,
    pub null_origin: bool,
    pub public_suffixes: bool,
    pub broad_regex: bool,
}

impl UnsafeOptions {
    pub(crate) const ANY_ORIGIN_CREDENTIALS: &'static str = "any_origin_credentials";
    pub(crate) const INSECURE_ORIGINS: &'static str = "insecure_origins";
    pub(crate) const NULL_ORIGIN: &'static str = "null_origin";
    pub(crate) const PUBLIC_SUFFIXES: &'static str = "public_suffixes";
    pub(crate) const BROAD_REGEX: &'static str = "broad_regex";

    /// The options as they are written.
    pub(crate) const NAMES: [&'static str; 5] = [
        Self::ANY_ORIGIN_CREDENTIALS,
        Self::INSECURE_ORIGINS,
        Self::NULL_ORIGIN,
        Self::PUBLIC_SUFFIXES,
        Self::BROAD_REGEX,
    ];

    /// Whether the option was given.
    pub(crate) fn permits(&self, option: &str) -> bool {
        match option {
            Self::ANY_ORIGIN_CREDENTIALS => self.any_origin_credentials,
            Self::INSECURE_ORIGINS => self.insecure_origins,
            Self::NULL_ORIGIN => self.null_origin,
            Self::PUBLIC_SUFFIXES => self.public_suffixes,
            Self::BROAD_REGEX => self.broad_regex,
            _ => false,
        }
    }

    /// Permits what an option permits; false where there is no such option.
    pub(crate) fn permit(&mut self, option: &str) -> bool {
        match option {
            Self::ANY_ORIGIN_CREDENTIALS => self.any_origin_credentials = true,
            Self::INSECURE_ORIGINS => self.insecure_origins = true,
            Self::NULL_ORIGIN => self.null_origin = true,
            Self::PUBLIC_SUFFIXES => self.public_suffixes = true,
            Self::BROAD_REGEX => self.broad_regex = true,
            _ => return false,
        }
        true
    }
}
