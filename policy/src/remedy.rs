//! What to write so that a request that was denied is allowed, and nothing else that was not allowed before.

use std::str;

use crate::credentials::AllowCredentials;
use crate::decision::Reason;
use crate::directive::Directive;
use crate::headers::AllowHeaders;
use crate::live_list::ListSource;
use crate::methods::AllowMethods;
use crate::origin::is_origin;
use crate::policy::Policy;
use crate::written::WrittenList;

/// What a policy is to allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted<'r> {
    /// This origin.
    Origin(&'r [u8]),
    /// This method.
    Method(&'r [u8]),
    /// A header of this name.
    Header(&'r [u8]),
    /// Credentials for this origin.
    Credentials(&'r [u8]),
}

/// What to write, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remedy {
    /// The directive, with its whole list and what is missing. None if the list is too long to be shown, or something else
    /// decides.
    pub line: Option<String>,
    /// What to do with that line, or what to do instead.
    pub advice: String,
}

impl<'r> Wanted<'r> {
    /// What has to be allowed for a request that was denied for this reason; nothing if no browser sends such a one.
    pub fn of(reason: &Reason<'r>, origin: &'r [u8]) -> Option<Self> {
        match *reason {
            Reason::NoOriginAllowed | Reason::Origin(_) => Some(Self::Origin(origin)),
            Reason::Method(method) => Some(Self::Method(method)),
            Reason::Header(name) => Some(Self::Header(name)),
            Reason::NotAHeaderName(_) | Reason::NotAnOrigin(_) | Reason::SeveralOrigins | Reason::Unanswered { .. } => {
                None
            }
        }
    }

    fn directive(self) -> Directive {
        match self {
            Self::Origin(_) => Directive::AllowOrigin,
            Self::Method(_) => Directive::AllowMethods,
            Self::Header(_) => Directive::AllowHeaders,
            Self::Credentials(_) => Directive::AllowCredentials,
        }
    }

    /// The value of the directive, if it takes that as it is.
    fn value(self) -> Option<&'r str> {
        let (Self::Origin(bytes) | Self::Method(bytes) | Self::Header(bytes) | Self::Credentials(bytes)) = self;
        let value = str::from_utf8(bytes).ok()?;
        // Whoever sends a request chooses these bytes, and they are to be pasted into a configuration.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte);
        let is_accepted = match self {
            Self::Origin(_) | Self::Credentials(_) => is_origin(bytes),
            Self::Method(_) => matches!(AllowMethods::empty().add(value), Ok(None)),
            Self::Header(_) => matches!(AllowHeaders::default().add(value), Ok(None)),
        };
        (value.bytes().all(is_plain) && is_accepted).then_some(value)
    }
}

impl Policy {
    /// What to write so that `wanted` is allowed; nothing if that is allowed, or cannot be.
    pub fn remedy(&self, wanted: Wanted<'_>) -> Option<Remedy> {
        let rules = self.rules();
        let directive = wanted.directive();
        let name = directive.name();
        let value = wanted.value()?;
        let gets_credentials = match wanted {
            Wanted::Credentials(_) => true,
            Wanted::Origin(_) => matches!(*rules.allow_credentials, AllowCredentials::On),
            Wanted::Method(_) | Wanted::Header(_) => false,
        };
        if let Some(option) = rules
            .option_for_credentials(value.as_bytes())
            .filter(|_| gets_credentials)
        {
            return Some(Remedy {
                line: None,
                advice: format!(
                    "\"{value}\" gets credentials only with \"cors_unsafe {option}\": decide whether anyone else can come as this origin"
                ),
            });
        }
        let list = match (wanted, &*rules.allow_credentials) {
            // All origins that are allowed get them already.
            (Wanted::Credentials(_), AllowCredentials::On) => return None,
            // `on` would give them to every origin that is allowed.
            (Wanted::Credentials(_), AllowCredentials::Off) => None,
            _ => rules.written.get(directive),
        };
        let Some(list) = list else {
            let in_its_place = match rules.written.get(directive) {
                Some(given) => format!("it takes the place of \"{name}\" at {}", given.at),
                None => format!("there is no \"{name}\" yet: write it beside \"cors on\""),
            };
            return Some(Remedy {
                line: Some(format!("{name} {value};")),
                advice: in_its_place,
            });
        };
        if let Some(advice) = list
            .live_list()
            .and_then(|live| self.add_to_live_list(directive, live, value))
        {
            return Some(Remedy { line: None, advice });
        }
        Some(add_to(list, name, value, rules.is_inherited(directive)))
    }
}

impl Policy {
    /// What to do where the file of a list decides.
    fn add_to_live_list(&self, directive: Directive, name: &str, value: &str) -> Option<String> {
        let mut uses = self.live_lists();
        let used = uses.find(|used| used.directive == directive && used.list.name() == name)?;
        let ListSource { file, key } = used.list.source()?;
        let line = match key {
            Some(key) => format!(", on a line that begins with the value of \"{key}\""),
            None => String::new(),
        };
        Some(format!(
            "the list \"{name}\" decides, which is in \"{}\" at {}: add \"{value}\" to its file {file}{line}",
            used.directive.name(),
            used.at,
        ))
    }
}

fn add_to(list: &WrittenList, name: &str, value: &str, is_inherited: bool) -> Remedy {
    let at = &list.at;
    if let Some(variable) = list.variable() {
        return Remedy {
            line: None,
            advice: format!(
                "\"{variable}\" decides, which is in \"{name}\" at {at}: give it the value \"{value}\", too, where it is set"
            ),
        };
    }
    if !list.is_whole() {
        return Remedy {
            line: None,
            advice: format!("add \"{value}\" to the {} values of \"{name}\" at {at}", list.count),
        };
    }
    let mut line = name.to_owned();
    for written in list.values.iter().map(String::as_str).chain([value]) {
        line.push(' ');
        line.push_str(&quoted(written));
    }
    line.push(';');
    let advice = match is_inherited {
        true => format!("write it in the block itself: the list at {at}, which it inherits, holds for others, too"),
        false => format!("it takes the place of \"{name}\" at {at}"),
    };
    Remedy {
        line: Some(line),
        advice,
    }
}

/// A value as nginx reads it from a configuration: between quotes if it would end, or begin something else, and with a
/// second backslash where one is taken for the beginning of a sign (`ngx_conf_read_token`).
fn quoted(value: &str) -> String {
    let needs_quotes = value.is_empty()
        || value.starts_with(['"', '\'', '#'])
        || value.contains([' ', '\t', '\r', '\n', ';', '{', '}', '"', '\'']);
    let mut written = String::new();
    let mut rest = value.chars().peekable();
    while let Some(sign) = rest.next() {
        match sign {
            '\\' if matches!(rest.peek(), Some('"' | '\'' | '\\' | 't' | 'r' | 'n') | None) => written.push_str("\\\\"),
            '"' if needs_quotes => written.push_str("\\\""),
            sign => written.push(sign),
        }
    }
    match needs_quotes {
        true => format!("\"{written}\""),
        false => written,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `ngx_conf_read_token` reads one value.
    fn read(written: &str) -> String {
        let inner = written
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .unwrap_or(written);
        let mut value = String::new();
        let mut rest = inner.chars().peekable();
        while let Some(sign) = rest.next() {
            match (sign, rest.peek().copied()) {
                ('\\', Some(next @ ('"' | '\'' | '\\'))) => {
                    value.push(next);
                    rest.next();
                }
                ('\\', Some(next @ ('t' | 'r' | 'n'))) => {
                    value.push(match next {
                        't' => '\t',
                        'r' => '\r',
                        _ => '\n',
                    });
                    rest.next();
                }
                (sign, _) => value.push(sign),
            }
        }
        value
    }

    #[test]
    fn a_quoted_value_is_read_as_it_was() {
        for value in [
            "https://app.example.com",
            r"~https://a\.example\.com",
            r"~https://[a-z]{2,3}\.example\.com",
            r"~https://\\d\.example",
            r"~\tx\nx",
            "a\"b",
            "a;b",
            "",
            "a\\",
        ] {
            assert_eq!(read(&quoted(value)), value, "{}", quoted(value));
        }
        assert_eq!(quoted("https://app.example.com"), "https://app.example.com");
        assert_eq!(quoted(r"~https://a{2}\.example"), r#""~https://a{2}\.example""#);
    }
}
