//! The values of the directives that are in force at one level.

use std::rc::Rc;

use crate::credentials::AllowCredentials;
use crate::directive::Directive;
use crate::expose::ExposeHeaders;
use crate::headers::AllowHeaders;
use crate::live_list::LiveList;
use crate::max_age::MaxAge;
use crate::methods::AllowMethods;
use crate::origin::{is_insecure, stands_for_no_site, ListRisks, OriginSet};
use crate::problem::Position;
use crate::settings::Settings;
use crate::unsafe_options::UnsafeOptions;
use crate::written::WrittenLists;

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
        /// Lists that change while the server runs.
        lists: Vec<Rc<LiveList>>,
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
    /// The lists as they are written, and those of them that the level gives itself.
    pub written: WrittenLists,
    pub written_here: WrittenLists,
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
            written: WrittenLists::default(),
            written_here: WrittenLists::default(),
        }
    }
}

/// A list that changes while the server runs, and how a policy uses it.
#[derive(Clone, Copy, Debug)]
pub struct ListUse<'p> {
    /// The list.
    pub list: &'p LiveList,
    /// The directive that names it.
    pub directive: Directive,
    /// Where that stands.
    pub at: &'p Position,
    /// The policy ignores the entries that have one of these risks.
    pub ignored: ListRisks,
}

impl Rules {
    /// The lists that change while the server runs.
    pub(crate) fn list_uses(&self) -> impl Iterator<Item = ListUse<'_>> {
        let of_origins = match &*self.allow_origin {
            AllowOrigin::Listed { lists, .. } => &lists[..],
            AllowOrigin::Any | AllowOrigin::Nobody => &[],
        };
        let of_credentials = match &*self.allow_credentials {
            AllowCredentials::For { lists, .. } => &lists[..],
            AllowCredentials::On | AllowCredentials::Off => &[],
        };
        let with_credentials = matches!(*self.allow_credentials, AllowCredentials::On);
        let both = [
            (Directive::AllowOrigin, of_origins, with_credentials),
            (Directive::AllowCredentials, of_credentials, true),
        ];
        both.into_iter().flat_map(move |(directive, lists, with_credentials)| {
            let ignored = self.ignored_in_lists(with_credentials);
            let written = self.written.get(directive);
            let used = lists.iter().zip(written.into_iter().cycle());
            used.map(move |(list, written)| ListUse {
                list,
                directive,
                at: &written.at,
                ignored,
            })
        })
    }

    /// What is ignored in lists, as `nginx -t` has not seen their entries: what it would have refused.
    pub(crate) fn ignored_in_lists(&self, with_credentials: bool) -> ListRisks {
        let options = self.unsafe_options;
        let risks = ListRisks::EACH
            .into_iter()
            .filter(|risk| (with_credentials || !risk.is_of_credentials()) && !options.permits(risk.option()));
        risks.fold(ListRisks::NONE, |all, risk| all | risk)
    }

    /// Whether the list of a directive is one that the level inherits.
    pub(crate) fn is_inherited(&self, directive: Directive) -> bool {
        self.written_here.get(directive).is_none()
    }

    /// Whether responses depend on `Origin`, which `Vary` then has to name (Fetch, "CORS protocol and HTTP caches").
    /// With a plain `*` every request gets the same response.
    pub(crate) fn vary_by_origin(&self) -> bool {
        match &*self.allow_origin {
            AllowOrigin::Nobody => false,
            AllowOrigin::Any => !matches!(*self.allow_credentials, AllowCredentials::Off),
            AllowOrigin::Listed { .. } => true,
        }
    }

    /// The option of `cors_unsafe` that an origin, which `nginx -t` has not seen, would need beside
    /// `cors_allow_credentials on`, if that is not given.
    pub(crate) fn option_for_credentials(&self, origin: &[u8]) -> Option<&'static str> {
        let options = self.unsafe_options;
        if stands_for_no_site(origin) {
            return (!options.null_origin).then_some(UnsafeOptions::NULL_ORIGIN);
        }
        let is_safe = || std::str::from_utf8(origin).is_ok_and(|origin| !is_insecure(origin));
        (!options.insecure_origins && !is_safe()).then_some(UnsafeOptions::INSECURE_ORIGINS)
    }
}
