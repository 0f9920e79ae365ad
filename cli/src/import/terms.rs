//! What a gateway's settings say of CORS, and the policy that says the same.
//!
//! An entry that is wrong or dangerous is left out of its list with the reason: nobody gets more than before. Where that
//! would leave no origin, or the whole would let everyone in with credentials, there is no policy.

use cors_policy::{is_token, Problem};
use regex_syntax::hir::Look;

use super::fault::Fault;
use crate::cors_headers::LONGEST_MAX_AGE;
use crate::written_policy::{is_read_by_scripts, is_sent_by_scripts, Credentials, WrittenPolicy};

/// What a product makes of a `*` together with credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Star {
    /// It is sent as it is, and browsers take it for a name (Fetch, "CORS check" step 4, "CORS-preflight fetch" steps 7.5
    /// and 7.7).
    IsSent,
    /// What the request asks for is sent back.
    IsEchoed,
}

/// A text with the line on which it stands.
pub type Item = (usize, String);

/// The settings.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Values of `cors_allow_origin`.
    pub origins: Vec<Item>,
    pub methods: Vec<Item>,
    pub headers: Vec<Item>,
    pub exposed: Vec<Item>,
    pub credentials: bool,
    /// In seconds; below 0 for never.
    pub max_age: Option<i64>,
    pub star: Star,
    /// Where the whole stands.
    pub line: usize,
}

/// A policy, and what is told of it.
#[derive(Clone, Debug)]
pub struct Agreed {
    pub policy: WrittenPolicy,
    pub notes: Vec<String>,
    /// Entries that are left out.
    pub left: Vec<Fault>,
}

impl Terms {
    /// The policy that says the same.
    pub fn agree(mut self) -> Result<Agreed, Fault> {
        let mut left = Vec::new();
        let mut credentials = self.credentials;
        if let Some((line, _)) = self.origins.iter().find(|(_, origin)| origin == "*").cloned() {
            if self.credentials && self.star == Star::IsEchoed {
                let why =
                    "every origin is let in with credentials: any site can read what its visitors can read; name \
                           the origins that need this";
                return Err(Fault::new(line, why));
            }
            credentials = false;
            self.origins = vec![(line, "*".to_owned())];
        }
        let mut policy = WrittenPolicy {
            credentials: match credentials {
                true => Credentials::Everyone,
                false => Credentials::Nobody,
            },
            ..WrittenPolicy::default()
        };
        for (line, origin) in &self.origins {
            match refusal(origin, &policy.credentials) {
                Some(why) => left.push(Fault::new(*line, why)),
                None => add(&mut policy.origins, origin),
            }
        }
        if policy.origins.is_empty() {
            let reasons: Vec<_> = left.iter().map(|fault| fault.why.as_str()).collect();
            let why = match reasons.is_empty() {
                true => "no origin is allowed".to_owned(),
                false => reasons.join("; "),
            };
            return Err(Fault::new(left.first().map_or(self.line, |fault| fault.line), why));
        }
        let is_literal = credentials && self.star == Star::IsSent;
        let lists = [
            (&self.methods, List::Methods, &mut policy.methods),
            (&self.headers, List::Headers, &mut policy.headers),
            (&self.exposed, List::Exposed, &mut policy.exposed),
        ];
        for (items, list, values) in lists {
            for (line, name) in items {
                if name == "*" && is_literal {
                    let why = format!(
                        "beside credentials browsers take a \"*\" in the list of {} for a name",
                        list.name()
                    );
                    left.push(Fault::new(*line, why));
                    continue;
                }
                match list.flaw(name) {
                    Some(why) => left.push(Fault::new(*line, why)),
                    None if list.is_of_use(name) => add(values, name),
                    None => {}
                }
            }
        }
        policy.max_age = self
            .max_age
            .map(|age| u64::try_from(age).unwrap_or(0).min(LONGEST_MAX_AGE));
        if let Some(problem) = policy.compiled().error() {
            return Err(Fault::new(self.line, told(problem)));
        }
        Ok(Agreed {
            policy,
            notes: Vec::new(),
            left,
        })
    }
}

fn add(values: &mut Vec<String>, value: &str) {
    if !values.iter().any(|known| known == value) {
        values.push(value.to_owned());
    }
}

/// Why the module would refuse an origin.
fn refusal(origin: &str, credentials: &Credentials) -> Option<String> {
    // Neither variables nor lists are written anywhere but in configurations of nginx.
    let is_expression = origin.starts_with('~');
    let is_known = |sign: char| sign.is_ascii_graphic() && !matches!(sign, '$' | '@');
    if origin.is_empty() || origin.contains(char::is_control) || !is_expression && !origin.chars().all(is_known) {
        return Some(format!("\"{}\" is no origin", origin.escape_debug()));
    }
    if origin == "null" {
        let why =
            "\"null\" lets in every site, by a sandboxed frame: take it away, or write \"*\" if everyone may read this";
        return Some(why.to_owned());
    }
    let alone = WrittenPolicy {
        origins: vec![origin.to_owned()],
        credentials: credentials.clone(),
        ..WrittenPolicy::default()
    };
    alone.compiled().error().map(told)
}

/// What `nginx -t` would say, without a place: the policy has none yet.
fn told(problem: &Problem) -> String {
    let text = problem.to_string();
    text.replace(" at :0", "").replace(" (in location \"\")", "")
}

/// One of the lists of names.
#[derive(Clone, Copy)]
enum List {
    Methods,
    Headers,
    Exposed,
}

impl List {
    fn name(self) -> &'static str {
        match self {
            Self::Methods => "methods",
            Self::Headers => "request headers",
            Self::Exposed => "response headers",
        }
    }

    /// Why a name stands for nothing that a browser asks for.
    fn flaw(self, name: &str) -> Option<String> {
        if !is_token(name.as_bytes()) || name.contains('$') || name != "*" && name.contains('*') {
            return Some(format!("\"{name}\" is no name for the list of {}", self.name()));
        }
        let upper = name.to_ascii_uppercase();
        let is_known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].contains(&&*upper);
        match self {
            Self::Methods if is_known && upper != name => Some(format!(
                "browsers send \"{upper}\", which is not \"{name}\": write it so if it is to be allowed"
            )),
            _ => None,
        }
    }

    /// Whether browsers ever ask for a name, or give it to a page.
    fn is_of_use(self, name: &str) -> bool {
        match self {
            Self::Methods => true,
            Self::Headers => name == "*" || is_sent_by_scripts(name),
            Self::Exposed => name == "*" || is_read_by_scripts(name),
        }
    }
}

/// A pattern whose `*` stands for exactly one label, as an expression; anything else as it is.
pub fn one_label(origin: &str) -> String {
    match origin.split_once("://*.") {
        Some((scheme, domain)) => format!(
            r"~{}://[a-z0-9-]+\.{}",
            regex_syntax::escape(scheme),
            regex_syntax::escape(domain)
        ),
        None => origin.to_owned(),
    }
}

/// An expression that a product looks for anywhere in an origin, as a value of `cors_allow_origin`, which has to match the
/// whole of it.
pub fn searched(expression: &str) -> Result<String, String> {
    let parsed = match regex_syntax::parse(expression) {
        Ok(parsed) => parsed,
        Err(error) => {
            let error = error.to_string();
            let why = error.lines().last().unwrap_or_default().to_owned();
            return Err(format!("\"{expression}\" cannot be said in the module's syntax: {why}"));
        }
    };
    let properties = parsed.properties();
    let is_whole =
        properties.look_set_prefix().contains(Look::Start) && properties.look_set_suffix().contains(Look::End);
    if is_whole {
        return Ok(format!("~{expression}"));
    }
    let inner = expression.trim_start_matches('^');
    let whole = format!("^(?:{inner})$");
    let is_loose =
        format!("\"{expression}\" is looked for anywhere in an origin, which lets in others that contain it");
    Err(match refusal(&format!("~{whole}"), &Credentials::Nobody) {
        None => format!("{is_loose}; write \"{whole}\" if it is to be the whole"),
        Some(_) => format!("{is_loose}; name the origins, or write the whole of it from \"^https://\" to \"$\""),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(text: &str) -> Vec<Item> {
        text.split_whitespace().map(|word| (1, word.to_owned())).collect()
    }

    fn terms(origins: &str) -> Terms {
        Terms {
            origins: items(origins),
            methods: Vec::new(),
            headers: Vec::new(),
            exposed: Vec::new(),
            credentials: false,
            max_age: None,
            star: Star::IsSent,
            line: 1,
        }
    }

    #[test]
    fn every_origin_never_gets_credentials() {
        let sent = Terms {
            credentials: true,
            ..terms("*")
        }
        .agree()
        .unwrap();
        assert_eq!(sent.policy.credentials, Credentials::Nobody);
        let echoed = Terms {
            credentials: true,
            star: Star::IsEchoed,
            ..terms("*")
        }
        .agree();
        assert!(echoed.unwrap_err().why.contains("every origin"));
    }

    #[test]
    fn a_wrong_origin_is_left_out_of_the_others() {
        let agreed = terms("https://a.example.com https://b.example.com/ null $http_origin")
            .agree()
            .unwrap();
        assert_eq!(agreed.policy.origins, ["https://a.example.com"]);
        assert_eq!(agreed.left.len(), 3);
    }

    #[test]
    fn no_origin_is_no_policy() {
        assert!(terms("null").agree().is_err());
    }

    #[test]
    fn a_star_that_is_sent_beside_credentials_stands_for_nothing() {
        let terms = Terms {
            credentials: true,
            methods: items("* PUT"),
            headers: items("*"),
            ..terms("https://a.example.com")
        };
        let agreed = terms.agree().unwrap();
        assert_eq!(agreed.policy.methods, ["PUT"]);
        assert!(agreed.policy.headers.is_empty());
        assert_eq!(agreed.left.len(), 2);
    }

    #[test]
    fn ages_are_those_that_browsers_keep() {
        for (given, kept) in [(-1, 0), (600, 600), (1_728_000, 86_400)] {
            let agreed = Terms {
                max_age: Some(given),
                ..terms("*")
            }
            .agree()
            .unwrap();
            assert_eq!(agreed.policy.max_age, Some(kept));
        }
    }

    #[test]
    fn an_expression_has_to_be_meant_for_the_whole_origin() {
        assert_eq!(searched("^https://a$").unwrap(), "~^https://a$");
        for loose in [
            "https://a",
            "^https://a",
            "https://a$",
            "^https://a|https://b$",
            "(?=a)",
        ] {
            assert!(searched(loose).is_err(), "{loose}");
        }
    }

    #[test]
    fn one_label_is_one_label() {
        assert_eq!(
            one_label("https://*.a.example:8443"),
            r"~https://[a-z0-9-]+\.a\.example:8443"
        );
        assert_eq!(one_label("https://a.example"), "https://a.example");
    }
}
