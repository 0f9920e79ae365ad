//! The values of the directives that are in force at one level.

use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::OriginSet;
use crate::settings::Settings;

/// The value of `cors_allow_origin`.
#[derive(Debug, Default)]
#[allow(clippy::large_enum_variant)] // there is one for a list, and it lies on the heap
pub(crate) enum AllowOrigin {
    /// There is no such directive.
    #[default]
    Nobody,
    /// `*`
    Any,
    /// A list.
    Listed {
        /// The origins that are known when the configuration is read.
        set: OriginSet,
        /// The values with variables, which are known for each request: the numbers under which the server keeps them.
        variables: Vec<usize>,
    },
}

/// The value of `cors`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cors {
    On,
    /// The location has no policy of its own. If another location redirects a request here, that one's policy stays.
    #[default]
    Off,
    /// The location says `cors off` itself, which ends the policy of a location that redirected the request here.
    OffHere,
}

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
    /// The options as they are written.
    pub(crate) const NAMES: [&'static str; 5] = [
        "any_origin_credentials",
        "insecure_origins",
        "null_origin",
        "public_suffixes",
        "broad_regex",
    ];
}

/// The values of all directives. Lists are shared with the levels that inherit them.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub cors: Cors,
    pub allow_origin: Rc<AllowOrigin>,
    pub allow_methods: Rc<AllowMethods>,
    pub allow_headers: Rc<AllowHeaders>,
    pub expose_headers: Rc<ExposeHeaders>,
    pub allow_credentials: Rc<AllowCredentials>,
    pub max_age: Option<MaxAge>,
    pub preflight_status: u16,
    pub unsafe_options: UnsafeOptions,
    pub settings: Settings,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            cors: Cors::default(),
            allow_origin: Rc::default(),
            allow_methods: Rc::default(),
            allow_headers: Rc::default(),
            expose_headers: Rc::default(),
            allow_credentials: Rc::default(),
            max_age: None,
            preflight_status: 204,
            unsafe_options: UnsafeOptions::default(),
            settings: Settings::default(),
        }
    }
}

impl Rules {
    /// Whether responses depend on `Origin`, which `Vary` then has to name (Fetch, "CORS protocol and HTTP caches").
    /// With a plain `*` every request gets the same response.
    pub(crate) fn vary_by_origin(&self) -> bool {
        match &*self.allow_origin {
            AllowOrigin::Nobody => false,
            AllowOrigin::Any => !matches!(*self.allow_credentials, AllowCredentials::Off),
            AllowOrigin::Listed { .. } => true,
        }
    }
}
