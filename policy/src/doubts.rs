//! The dangerous values of a list, kept until it is known what the operator has allowed.

use crate::origin::{doubts, AllowedOrigin, Doubt};
use crate::problem::{shown, Position};
use crate::rules::UnsafeOptions;

/// So many values of each kind are told one by one; the rest are counted.
pub(crate) const MOST_TOLD: usize = 100;

/// A dangerous value, and where it was said.
#[derive(Debug)]
pub(crate) struct Doubted {
    pub value: String,
    pub doubt: Doubt,
    pub at: Position,
}

/// The dangerous values of one list.
#[derive(Debug, Default)]
pub(crate) struct Doubts {
    kept: Vec<Doubted>,
    /// How many there are, by kind.
    counts: [usize; Doubt::KINDS],
}

/// What speaks against a value.
#[derive(Debug)]
pub(crate) struct Objection<'d> {
    pub value: &'d str,
    pub at: &'d Position,
    pub why: String,
    /// It does so only where there are credentials.
    pub needs_credentials: bool,
    /// So many more values of the list have the same against them.
    pub more: usize,
}

impl Doubts {
    /// Notes what is dangerous about `origin`, which was written as `value`.
    pub(crate) fn note(&mut self, origin: &AllowedOrigin, value: &str, at: &Position) {
        for doubt in doubts(origin) {
            let Some(count) = self.counts.get_mut(doubt.kind()) else {
                continue;
            };
            *count += 1;
            if *count <= MOST_TOLD {
                self.kept.push(Doubted {
                    value: value.to_owned(),
                    doubt,
                    at: at.clone(),
                });
            }
        }
    }

    /// What speaks against the values, apart from what `allowed` permits.
    pub(crate) fn objections(&self, allowed: UnsafeOptions) -> impl Iterator<Item = Objection<'_>> {
        let mut told = [0; Doubt::KINDS];
        self.kept.iter().filter_map(move |Doubted { value, doubt, at }| {
            let (why, needs_credentials) = against(doubt, allowed)?;
            let kind = doubt.kind();
            let told = told.get_mut(kind)?;
            *told += 1;
            let more = match *told {
                MOST_TOLD => self.counts.get(kind)? - MOST_TOLD,
                _ => 0,
            };
            Some(Objection {
                value,
                at,
                why,
                needs_credentials,
                more,
            })
        })
    }
}

/// What speaks against a dangerous value, unless it was allowed, and whether it does so with credentials alone.
fn against(doubt: &Doubt, allowed: UnsafeOptions) -> Option<(String, bool)> {
    match doubt {
        Doubt::Anyone => (!allowed.any_origin_credentials).then(|| {
            let why = "every site could read what the user may read; list the origins to trust, or write \"cors_unsafe any_origin_credentials\"";
            (why.to_owned(), true)
        }),
        Doubt::Null => (!allowed.null_origin).then(|| {
            let why = "every site can make itself the origin \"null\" with a sandboxed frame; remove it, or write \"cors_unsafe null_origin\"";
            (why.to_owned(), true)
        }),
        Doubt::Insecure(admitted) => (!allowed.insecure_origins).then(|| {
            let why = format!(
                "it admits \"{}\", and whoever is on the network can speak for an origin without TLS; write \"https://\", or \"cors_unsafe insecure_origins\"",
                shown(admitted.as_bytes())
            );
            (why, true)
        }),
        Doubt::PublicSuffix(suffix) => (!allowed.public_suffixes).then(|| {
            let why = format!(
                "everyone can register a name under \"{}\"; name the domain to trust, or write \"cors_unsafe public_suffixes\"",
                shown(suffix.as_bytes())
            );
            (why, false)
        }),
        Doubt::Stranger(admitted, mistake) => (!allowed.broad_regex).then(|| {
            let why = format!(
                "it also admits \"{}\": {mistake}, or write \"cors_unsafe broad_regex\"",
                shown(admitted.as_bytes())
            );
            (why, false)
        }),
    }
}
