//! A policy in words, and the `cors_*` directives that say it.
//!
//! Whatever another configuration says of CORS is put into a [`WrittenPolicy`]. That writes the directives, each value as
//! nginx reads it back, and knows what `nginx -t` would say of them.

use std::rc::Rc;

use cors_policy::{
    Block, Context, Directive, Field, IgnoredValue, Level, ListRisks, Policy, Position, Problem, Request, Scope,
    Severity, UnusedDirectives, Verdict,
};

use crate::site::policy::NginxSyntax;

/// What the directives of one block say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct WrittenPolicy {
    /// Values of `cors_allow_origin`, without the quotes of nginx.
    pub origins: Vec<String>,
    /// Values of `cors_allow_methods`; none for those that browsers always allow.
    pub methods: Vec<String>,
    /// Values of `cors_allow_headers`.
    pub headers: Vec<String>,
    /// Values of `cors_expose_headers`.
    pub exposed: Vec<String>,
    pub credentials: Credentials,
    /// How long browsers may keep the answer to a preflight, in seconds.
    pub max_age: Option<u64>,
    /// The value of `cors_preflight`, where it is not `answer`.
    pub preflight: Option<&'static str>,
    /// The status of the answer to a preflight, where it is not 204.
    pub preflight_status: Option<u16>,
    /// Values of `cors_unsafe`.
    pub unsafe_options: Vec<&'static str>,
}

/// Who gets credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Credentials {
    #[default]
    Nobody,
    /// Every origin that is allowed.
    Everyone,
    /// These origins, patterns and expressions alone.
    Only(Vec<String>),
}

/// What a policy says of an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Denied,
    Allowed,
    AllowedWithCredentials,
}

/// Why a policy cannot be said in a block: a list that an outer block gives can be replaced there, and not taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an outer block gives a {0}, and no block within it can say that it has none")]
pub struct Unsayable(pub &'static str);

impl WrittenPolicy {
    /// The directives, each with its semicolon. A long list goes on in further lines, which are indented by themselves.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec!["cors on;".to_owned()];
        let mut list = |name: &str, values: &[String]| {
            if !values.is_empty() {
                lines.push(directive(name, values));
            }
        };
        list("cors_allow_origin", &self.origins);
        list("cors_allow_methods", &self.methods);
        list("cors_allow_headers", &self.headers);
        list("cors_expose_headers", &self.exposed);
        match &self.credentials {
            Credentials::Nobody => {}
            Credentials::Everyone => lines.push("cors_allow_credentials on;".to_owned()),
            Credentials::Only(origins) => list("cors_allow_credentials", origins),
        }
        if let Some(seconds) = self.max_age {
            lines.push(format!("cors_max_age {};", time(seconds)));
        }
        if let Some(mode) = self.preflight {
            lines.push(format!("cors_preflight {mode};"));
        }
        if let Some(status) = self.preflight_status {
            lines.push(format!("cors_preflight_status {status};"));
        }
        if !self.unsafe_options.is_empty() {
            lines.push(format!("cors_unsafe {};", self.unsafe_options.join(" ")));
        }
        lines
    }

    /// The same for a block within one that has the policy `outer`: directives are inherited one by one, so that what
    /// `outer` gives and this one does not is taken back.
    pub fn lines_within(&self, outer: &Self) -> Result<Vec<String>, Unsayable> {
        for (own, given, name) in [
            (&self.headers, &outer.headers, "cors_allow_headers"),
            (&self.exposed, &outer.exposed, "cors_expose_headers"),
        ] {
            if own.is_empty() && !given.is_empty() {
                return Err(Unsayable(name));
            }
        }
        if self.unsafe_options.is_empty() && !outer.unsafe_options.is_empty() {
            return Err(Unsayable("cors_unsafe"));
        }
        let mut lines = self.lines();
        if self.methods.is_empty() && !outer.methods.is_empty() {
            lines.push("cors_allow_methods GET HEAD POST;".to_owned());
        }
        if self.credentials == Credentials::Nobody && outer.credentials != Credentials::Nobody {
            lines.push("cors_allow_credentials off;".to_owned());
        }
        if self.max_age.is_none() && outer.max_age.is_some() {
            lines.push("cors_max_age off;".to_owned());
        }
        if self.preflight.is_none() && outer.preflight.is_some() {
            lines.push("cors_preflight answer;".to_owned());
        }
        if self.preflight_status.is_none() && outer.preflight_status.is_some() {
            lines.push("cors_preflight_status 204;".to_owned());
        }
        Ok(lines)
    }

    /// What the module makes of it.
    pub fn compiled(&self) -> Compiled {
        let mut level = Level::default();
        let mut syntax = NginxSyntax::default();
        let at = Position::default();
        let mut problems = Vec::new();
        let mut read = |name: Directive, values: &[&str]| {
            let values: Vec<_> = values.iter().map(|value| value.as_bytes()).collect();
            problems.extend(level.read(name, &values, &at, &mut syntax));
        };
        let words = |values: &'_ [String]| -> Vec<String> { values.to_vec() };
        let max_age = self.max_age.map(time);
        let status = self.preflight_status.map(|status| status.to_string());
        let credentials = match &self.credentials {
            Credentials::Nobody => Vec::new(),
            Credentials::Everyone => vec!["on".to_owned()],
            Credentials::Only(origins) => words(origins),
        };
        let unsafe_options: Vec<_> = self.unsafe_options.iter().map(|name| (*name).to_owned()).collect();
        for (name, values) in [
            (Directive::Cors, vec!["on".to_owned()]),
            (Directive::AllowOrigin, words(&self.origins)),
            (Directive::AllowMethods, words(&self.methods)),
            (Directive::AllowHeaders, words(&self.headers)),
            (Directive::ExposeHeaders, words(&self.exposed)),
            (Directive::AllowCredentials, credentials),
            (Directive::MaxAge, max_age.into_iter().collect()),
            (
                Directive::Preflight,
                self.preflight.map(str::to_owned).into_iter().collect(),
            ),
            (Directive::PreflightStatus, status.into_iter().collect()),
            (Directive::Unsafe, unsafe_options),
        ] {
            if !values.is_empty() {
                let values: Vec<_> = values.iter().map(String::as_str).collect();
                read(name, &values);
            }
        }
        let mut unused = UnusedDirectives::default();
        let (scope, found) = level.inherit(&Scope::default(), Block::Location(""), &mut unused);
        problems.extend(found);
        Compiled {
            policy: scope.policy().clone(),
            problems,
        }
    }
}

/// A policy as the module goes by it, and what `nginx -t` says of its directives.
#[derive(Debug)]
pub struct Compiled {
    policy: Rc<Policy>,
    pub problems: Vec<Problem>,
}

impl Compiled {
    /// The first reason why `nginx -t` refuses it.
    pub fn error(&self) -> Option<&Problem> {
        let mut problems = self.problems.iter();
        problems.find(|problem| problem.severity == Severity::Error)
    }

    /// What it says of an origin of another site.
    pub fn standing(&self, origin: &str) -> Standing {
        standing(&self.policy, origin)
    }
}

/// What a policy says of an origin of another site.
pub fn standing(policy: &Policy, origin: &str) -> Standing {
    let request = Request {
        origin: Field::One(origin.as_bytes()),
        ..Request::default()
    };
    match policy.decide(&request, &Elsewhere).verdict() {
        Verdict::AllowedWithCredentials => Standing::AllowedWithCredentials,
        Verdict::Allowed | Verdict::Anyone => Standing::Allowed,
        _ => Standing::Denied,
    }
}

/// Whether scripts ever send a request header of this name: `nginx -t` warns of those that browsers keep to themselves.
pub fn is_sent_by_scripts(name: &str) -> bool {
    let policy = WrittenPolicy {
        origins: vec!["*".to_owned()],
        headers: vec![name.to_owned()],
        ..WrittenPolicy::default()
    };
    policy.compiled().problems.is_empty()
}

/// Whether scripts ever get to see a response header of this name.
pub fn is_read_by_scripts(name: &str) -> bool {
    let policy = WrittenPolicy {
        origins: vec!["*".to_owned()],
        exposed: vec![name.to_owned()],
        ..WrittenPolicy::default()
    };
    policy.compiled().problems.is_empty()
}

/// A request to a server that is none of the origins, without variables and lists.
struct Elsewhere;

impl Context<'static> for Elsewhere {
    fn authority(&self) -> &'static [u8] {
        b""
    }

    fn is_secure(&self) -> bool {
        false
    }

    fn variable(&self, _: usize) -> &'static [u8] {
        b""
    }

    fn list_admits(&self, _: usize, _: &[u8], _: ListRisks) -> bool {
        false
    }

    fn ignored_value(&self, _: usize, _: IgnoredValue<'_>) {}
}

/// So long a line may be, its indentation left out.
const WIDTH: usize = 100;

/// A directive with its values. What does not fit into a line goes on below its first value.
pub fn directive(name: &str, values: &[String]) -> String {
    let mut text = name.to_owned();
    let mut width = name.len();
    for (number, value) in values.iter().enumerate() {
        let value = word(value);
        let length = value.chars().count();
        if number > 0 && width + 1 + length >= WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(name.len()));
            width = name.len();
        }
        text.push(' ');
        text.push_str(&value);
        width += 1 + length;
    }
    text + ";"
}

/// A value as it is written in a configuration.
pub fn word(value: &str) -> String {
    let mut written = String::with_capacity(value.len());
    let mut rest = value.chars().peekable();
    while let Some(sign) = rest.next() {
        match sign {
            // nginx takes a backslash away before these, and reads another sign for the letters.
            '\\' if matches!(rest.peek(), None | Some('"' | '\'' | '\\' | 't' | 'r' | 'n')) => written.push_str(r"\\"),
            '"' => written.push_str("\\\""),
            _ => written.push(sign),
        }
    }
    let is_plain = |sign: char| !sign.is_whitespace() && !matches!(sign, '{' | '}' | ';' | '"' | '\'');
    match !value.is_empty() && !value.starts_with('#') && value.chars().all(is_plain) {
        true => written,
        false => format!("\"{written}\""),
    }
}

/// Seconds as a time of nginx, in the largest unit that they are a multiple of.
pub fn time(seconds: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = UNITS
        .into_iter()
        .find(|(length, _)| seconds > 0 && seconds.is_multiple_of(*length));
    match unit {
        Some((length, unit)) => format!("{}{unit}", seconds / length),
        None => format!("{seconds}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn policy(origins: &str) -> WrittenPolicy {
        WrittenPolicy {
            origins: words(origins),
            ..WrittenPolicy::default()
        }
    }

    #[test]
    fn each_setting_has_its_line() {
        let policy = WrittenPolicy {
            methods: words("GET PUT"),
            headers: words("Authorization Content-Type"),
            exposed: words("X-Total"),
            credentials: Credentials::Everyone,
            max_age: Some(7_200),
            preflight_status: Some(200),
            ..policy("https://app.example.com https://*.example.net")
        };
        assert_eq!(
            policy.lines(),
            [
                "cors on;",
                "cors_allow_origin https://app.example.com https://*.example.net;",
                "cors_allow_methods GET PUT;",
                "cors_allow_headers Authorization Content-Type;",
                "cors_expose_headers X-Total;",
                "cors_allow_credentials on;",
                "cors_max_age 2h;",
                "cors_preflight_status 200;",
            ]
        );
        assert_eq!(policy.compiled().problems, []);
    }

    #[test]
    fn what_an_outer_block_gives_is_taken_back() {
        let outer = WrittenPolicy {
            methods: words("PUT"),
            credentials: Credentials::Everyone,
            max_age: Some(60),
            preflight_status: Some(200),
            ..policy("https://a.example.com")
        };
        assert_eq!(
            policy("https://b.example.com").lines_within(&outer).unwrap(),
            [
                "cors on;",
                "cors_allow_origin https://b.example.com;",
                "cors_allow_methods GET HEAD POST;",
                "cors_allow_credentials off;",
                "cors_max_age off;",
                "cors_preflight_status 204;",
            ]
        );
    }

    #[test]
    fn a_list_of_an_outer_block_cannot_be_taken_back() {
        let outer = WrittenPolicy {
            exposed: words("X-Total"),
            ..policy("*")
        };
        let within = policy("*").lines_within(&outer);
        assert_eq!(within, Err(Unsayable("cors_expose_headers")));
    }

    #[test]
    fn a_long_list_goes_on_below_its_first_value() {
        let origins: Vec<_> = (1..=4).map(|n| format!("https://tenant{n}.shop.example.com")).collect();
        assert_eq!(
            directive("cors_allow_origin", &origins),
            "cors_allow_origin https://tenant1.shop.example.com https://tenant2.shop.example.com\n                  \
             https://tenant3.shop.example.com https://tenant4.shop.example.com;"
        );
    }

    #[test]
    fn a_value_is_read_back_as_it_was() {
        for value in [
            r"~^https://[a-z]{1,3}\.example\.com$",
            r"~^https://\w+\\\.example$",
            r"~^\t\n\r",
            r"~a\",
            "~it's",
            "~a\"b",
            "~a b;",
            "",
            "#a",
            r"~^https://app\.example\.com$",
        ] {
            let written = word(value);
            let directives = crate::site::block::tests::directives(&format!("cors_allow_origin {written};"));
            assert_eq!(directives[0].argument(0), Some(value), "{written}");
            assert_eq!(directives[0].arguments.len(), 1, "{written}");
        }
    }

    #[test]
    fn times_have_the_largest_unit_that_fits() {
        for (seconds, written) in [
            (0, "0"),
            (5, "5"),
            (60, "1m"),
            (90, "90"),
            (7_200, "2h"),
            (86_400, "1d"),
            (90_000, "25h"),
        ] {
            assert_eq!(time(seconds), written);
        }
    }

    #[test]
    fn what_nginx_refuses_is_known() {
        let refused = WrittenPolicy {
            credentials: Credentials::Everyone,
            ..policy("*")
        };
        assert!(refused.compiled().error().is_some());
        assert!(policy("*").compiled().error().is_none());
    }

    #[test]
    fn origins_are_judged_as_the_module_judges_them() {
        let compiled = WrittenPolicy {
            credentials: Credentials::Only(words("https://a.example.com")),
            ..policy(r"https://a.example.com ~^https://[a-z]+\.example\.net$")
        }
        .compiled();
        assert_eq!(
            compiled.standing("https://a.example.com"),
            Standing::AllowedWithCredentials
        );
        assert_eq!(compiled.standing("https://b.example.net"), Standing::Allowed);
        assert_eq!(compiled.standing("https://b.example.org"), Standing::Denied);
        assert_eq!(compiled.standing("null"), Standing::Denied);
    }
}
