//! The dangerous values of a list, kept until it is known what the operator has allowed.

use crate::origin::{risks, AllowedOrigin, Risk, Shared};
use crate::problem::{shown, Position, MOST_ERRORS};
use crate::unsafe_options::UnsafeOptions;

/// A dangerous value, and where it was said.
#[derive(Debug)]
pub(crate) struct Risky {
    pub value: String,
    pub risk: Risk,
    pub at: Position,
}

/// The dangerous values of one list.
#[derive(Debug, Default)]
pub(crate) struct Risks {
    kept: Vec<Risky>,
    /// How many there are, by kind.
    counts: [usize; Risk::KINDS],
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

impl Risks {
    /// Notes what is dangerous about `origin`, which was written as `value`.
    pub(crate) fn note(&mut self, origin: &AllowedOrigin, value: &str, at: &Position) {
        for risk in risks(origin) {
            let Some(count) = self.counts.get_mut(risk.kind()) else {
                continue;
            };
            *count += 1;
            if *count <= MOST_ERRORS {
                self.kept.push(Risky {
                    value: value.to_owned(),
                    risk,
                    at: at.clone(),
                });
            }
        }
    }

    /// What speaks against the values, apart from what `allowed` permits.
    pub(crate) fn objections(&self, allowed: UnsafeOptions) -> impl Iterator<Item = Objection<'_>> {
        let mut told = [0; Risk::KINDS];
        self.kept.iter().filter_map(move |Risky { value, risk, at }| {
            let (why, needs_credentials) = against(risk, value, allowed)?;
            let kind = risk.kind();
            let told = told.get_mut(kind)?;
            *told += 1;
            let more = match *told {
                MOST_ERRORS => self.counts.get(kind)? - MOST_ERRORS,
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

/// What speaks against a dangerous value, which was written as `value`, unless it was allowed, and whether it does so with credentials alone.
fn against(risk: &Risk, value: &str, allowed: UnsafeOptions) -> Option<(String, bool)> {
    match risk {
        Risk::Anyone => (!allowed.any_origin_credentials).then(|| {
            let why = "every site could read what the user may read; list the origins to trust, or write \"cors_unsafe any_origin_credentials\"";
            (why.to_owned(), true)
        }),
        Risk::Null => (!allowed.null_origin).then(|| {
            let why = "every site can make itself the origin \"null\" with a sandboxed frame; remove it, or write \"cors_unsafe null_origin\"";
            (why.to_owned(), true)
        }),
        Risk::Insecure(admitted) => (!allowed.insecure_origins).then(|| {
            let why = format!(
                "it admits \"{}\", and whoever is on the network can speak for an origin without TLS; {}, or write \"cors_unsafe insecure_origins\"",
                shown(admitted.as_bytes()),
                secured(value)
            );
            (why, true)
        }),
        Risk::LocalFiles => (!allowed.null_origin).then(|| {
            let why = "every file on a device, also one that was downloaded, has the origin \"file://\"; remove it, or write \"cors_unsafe null_origin\"";
            (why.to_owned(), true)
        }),
        Risk::SharedName { name, kind, meant } => (!allowed.public_suffixes).then(|| {
            let name = shown(name.as_bytes());
            let why = match kind {
                Shared::Suffix => format!("everyone can register a name under \"{name}\""),
                Shared::Parent => {
                    format!("it covers public suffixes under \"{name}\", where everyone can register a name")
                }
            };
            let remedy = match meant {
                Some(pattern) => format!("write \"{}\"", shown(pattern.as_bytes())),
                None => "name the domain to trust".to_owned(),
            };
            (format!("{why}; {remedy}, or write \"cors_unsafe public_suffixes\""), false)
        }),
        Risk::Stranger(admitted, mistake) => (!allowed.broad_regex).then(|| {
            let why = format!(
                "it also admits \"{}\": {mistake}, or write \"cors_unsafe broad_regex\"",
                shown(admitted.as_bytes())
            );
            (why, false)
        }),
        Risk::AnyApp(admitted) => (!allowed.any_origin_credentials).then(|| {
            let why = format!(
                "it admits \"{}\", and those of other authors' apps and extensions; write out the hosts to trust, or write \"cors_unsafe any_origin_credentials\"",
                shown(admitted.as_bytes())
            );
            (why, true)
        }),
    }
}

/// What to write in the place of `value`, which admits origins without TLS.
fn secured(value: &str) -> String {
    let secure = [
        "http://",
        "https?://",
        "http(s)?://",
        "(http|https)://",
        "(https|http)://",
    ]
    .into_iter()
    .find(|scheme| value.contains(scheme))
    .map(|scheme| value.replacen(scheme, "https://", 1));
    match secure {
        Some(secure) => format!("write \"{}\"", shown(secure.as_bytes())),
        None => "admit \"https://\" alone".to_owned(),
    }
}
