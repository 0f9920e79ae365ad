//! What a text with variables holds for a request: a list of origins in the syntax of `cors_allow_origin`.

use crate::credentials::AllowCredentials;
use crate::origin::{is_origin, EntryMatch, Matched};
use crate::request::IgnoredValue;
use crate::rules::Rules;
use crate::unsafe_options::UnsafeOptions;

/// Whom such a list admits, of those that may have sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// Not this origin.
    Nobody,
    /// This origin.
    Origin,
    /// Every origin, as `cors_allow_origin *` does.
    Anyone,
}

/// Whether `origin`, the bytes of an `Origin` header, is in the list that is written in `value`. What `cors_unsafe` does
/// not permit is left out of the list, as `nginx -t` would have refused it; `ignore` is told of that.
pub(crate) fn admitted(rules: &Rules, value: &[u8], origin: &[u8], ignore: &dyn Fn(IgnoredValue<'_>)) -> Admitted {
    let admits = |part, matched| match missing_option(rules, origin, matched) {
        None => true,
        Some((option, with_credentials)) => {
            ignore(IgnoredValue::Dangerous {
                part,
                option,
                with_credentials,
            });
            false
        }
    };
    let is_admitted = || is_origin(origin) && missing_option(rules, origin, Matched::default()).is_none();
    // A `map` of `$http_origin` mostly yields the origin itself.
    if value == origin && is_admitted() {
        return Admitted::Origin;
    }
    if value.is_empty() {
        return Admitted::Nobody;
    }
    if value.iter().any(u8::is_ascii_control) {
        ignore(IgnoredValue::ControlCharacter(value));
        return Admitted::Nobody;
    }
    let parts = || value.split(|byte| matches!(byte, b',' | b' '));
    // Most are written as browsers send them, and need no reading.
    if parts().any(|part| part == origin) && is_admitted() {
        return Admitted::Origin;
    }
    for part in parts().filter(|part| !part.is_empty()) {
        match EntryMatch::of(part, origin) {
            EntryMatch::Other => {}
            EntryMatch::Matches(matched) if admits(part, matched) => return Admitted::Origin,
            EntryMatch::Matches(_) => {}
            EntryMatch::Everyone if may_admit_anyone(rules) => return Admitted::Anyone,
            EntryMatch::Everyone => ignore(IgnoredValue::Dangerous {
                part,
                option: UnsafeOptions::ANY_ORIGIN_CREDENTIALS,
                with_credentials: true,
            }),
            EntryMatch::Regex => ignore(IgnoredValue::Regex(part)),
            EntryMatch::Invalid => ignore(IgnoredValue::NoOrigin(part)),
        }
    }
    Admitted::Nobody
}

/// Whether `*` may stand beside the credentials of the policy.
fn may_admit_anyone(rules: &Rules) -> bool {
    !matches!(*rules.allow_credentials, AllowCredentials::On) || rules.unsafe_options.any_origin_credentials
}

/// The option of `cors_unsafe` without which a value that matches `origin` is ignored, and whether that is for the
/// credentials that it would get.
fn missing_option(rules: &Rules, origin: &[u8], matched: Matched) -> Option<(&'static str, bool)> {
    let options = rules.unsafe_options;
    if matched.shared_name && !options.public_suffixes {
        return Some((UnsafeOptions::PUBLIC_SUFFIXES, false));
    }
    if !matches!(*rules.allow_credentials, AllowCredentials::On) {
        return None;
    }
    if matched.any_host && !options.any_origin_credentials {
        return Some((UnsafeOptions::ANY_ORIGIN_CREDENTIALS, true));
    }
    rules.option_for_credentials(origin).map(|option| (option, true))
}
