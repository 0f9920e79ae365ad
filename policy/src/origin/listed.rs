//! An entry of a file of origins (`cors_origin_list`), read as `cors_allow_origin` reads a value.

use std::borrow::Cow;
use std::fmt;
use std::ops::BitOr;

use super::allowed::AllowedOrigin;
use super::error::OriginError;
use super::risk::{risks, Risk};
use super::serialized::{is_insecure, stands_for_no_site, SerializedOrigin};
use crate::unsafe_options::UnsafeOptions;

/// An origin or a pattern that a file lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry<'v> {
    /// The origin as browsers send it, or the pattern in the one form that all its spellings have.
    pub text: Cow<'v, str>,
    /// Whether it is a pattern.
    pub is_pattern: bool,
    /// Why a policy may have to ignore it.
    pub risks: ListRisks,
}

/// Why a policy has to ignore an entry, unless `cors_unsafe` permits it: each is a bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListRisks(u8);

/// Why a value cannot be in a file, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct ListEntryError(#[from] Refusal);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error(
        "a file lists origins and patterns; to admit every origin, write \"cors_allow_origin *\" in the configuration"
    )]
    Anyone,
    #[error(
        "a file lists origins and patterns; write it in the configuration, beside the list: \"cors_allow_origin {0}\""
    )]
    InConfigurationOnly(&'static str),
    #[error("a file is read without variables; write the origins that it stands for")]
    Variable,
    #[error("{0}")]
    Origin(OriginError),
}

impl ListRisks {
    /// Nothing speaks against the entry.
    pub const NONE: Self = Self(0);
    /// It admits an origin in the clear, which whoever is on the network can be (`insecure_origins`).
    pub const INSECURE: Self = Self(1);
    /// It admits whoever has a name under one that many share (`public_suffixes`).
    pub const SHARED_NAME: Self = Self(1 << 1);
    /// It admits every host of a scheme (`any_origin_credentials`).
    pub const ANY_HOST: Self = Self(1 << 2);
    /// It admits what every file of the user is (`null_origin`).
    pub const FILE: Self = Self(1 << 3);
    /// Each risk by itself, in the order of their bits.
    pub const EACH: [Self; 4] = [Self::INSECURE, Self::SHARED_NAME, Self::ANY_HOST, Self::FILE];
    /// The number of bits.
    pub const BITS: u32 = Self::EACH.len() as u32;

    /// The risks as a number below `1 << BITS`.
    #[inline]
    pub fn bits(self) -> u8 {
        self.0
    }

    /// The option of `cors_unsafe` that permits the first of these risks; empty if there is none.
    pub fn option(self) -> &'static str {
        let options = [
            (Self::INSECURE, UnsafeOptions::INSECURE_ORIGINS),
            (Self::SHARED_NAME, UnsafeOptions::PUBLIC_SUFFIXES),
            (Self::ANY_HOST, UnsafeOptions::ANY_ORIGIN_CREDENTIALS),
            (Self::FILE, UnsafeOptions::NULL_ORIGIN),
        ];
        let found = options.into_iter().find(|(risk, _)| self.intersects(*risk));
        found.map_or("", |(_, option)| option)
    }

    /// Whether there is no risk without credentials.
    pub fn is_of_credentials(self) -> bool {
        !self.intersects(Self::SHARED_NAME)
    }

    /// Whether one of these risks is among `others`.
    #[inline]
    pub fn intersects(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }
}

impl BitOr for ListRisks {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl<'v> ListEntry<'v> {
    /// Reads a value as it stands in the file.
    pub fn read(value: &'v str) -> Result<Self, ListEntryError> {
        // Most are written as browsers send them, and a list may have a million.
        if SerializedOrigin::recognize(value.as_bytes()).is_some_and(|origin| origin.is_plain()) {
            return Ok(Self {
                text: Cow::Borrowed(value),
                is_pattern: false,
                risks: if stands_for_no_site(value.as_bytes()) {
                    ListRisks::FILE
                } else if is_insecure(value) {
                    ListRisks::INSECURE
                } else {
                    ListRisks::NONE
                },
            });
        }
        Self::read_by_rules(value).map_err(ListEntryError)
    }

    fn read_by_rules(value: &'v str) -> Result<Self, Refusal> {
        match value.as_bytes() {
            b"*" => return Err(Refusal::Anyone),
            b"null" => return Err(Refusal::InConfigurationOnly("null")),
            [b'~', ..] => return Err(Refusal::InConfigurationOnly("~...")),
            [b'@', ..] => return Err(Refusal::InConfigurationOnly("@...")),
            bytes if bytes.contains(&b'$') => return Err(Refusal::Variable),
            _ => {}
        }
        let origin = AllowedOrigin::parse(value).map_err(Refusal::Origin)?;
        let found = risks(&origin)
            .iter()
            .map(risk_of_entry)
            .fold(ListRisks::NONE, BitOr::bitor);
        let (text, is_pattern) = match origin {
            AllowedOrigin::Any => return Err(Refusal::Anyone),
            AllowedOrigin::Null => return Err(Refusal::InConfigurationOnly("null")),
            AllowedOrigin::Regex(_) => return Err(Refusal::InConfigurationOnly("~...")),
            AllowedOrigin::Exact(origin) => (origin, false),
            AllowedOrigin::Pattern(pattern) => (pattern.to_string(), true),
        };
        Ok(Self {
            text: Cow::Owned(text),
            is_pattern,
            risks: found,
        })
    }
}

impl fmt::Display for ListEntry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn risk_of_entry(risk: &Risk) -> ListRisks {
    match risk {
        Risk::Insecure(_) => ListRisks::INSECURE,
        Risk::SharedName { .. } => ListRisks::SHARED_NAME,
        Risk::Anyone | Risk::AnyApp(_) => ListRisks::ANY_HOST,
        Risk::Null | Risk::LocalFiles => ListRisks::FILE,
        // Of regular expressions alone, which a file cannot have.
        Risk::Stranger(..) => ListRisks::SHARED_NAME | ListRisks::ANY_HOST,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    fn read(value: &str) -> (String, bool) {
        let entry = ListEntry::read(value).unwrap();
        (entry.text.into_owned(), entry.is_pattern)
    }

    fn error(value: &str) -> String {
        ListEntry::read(value).unwrap_err().to_string()
    }

    #[test]
    fn an_entry_becomes_what_browsers_send_or_a_pattern_in_one_form() {
        for (written, text, is_pattern) in [
            ("https://app.example.com", "https://app.example.com", false),
            ("HTTPS://App.Example.com:443", "https://app.example.com", false),
            ("https://münchen.example", "https://xn--mnchen-3ya.example", false),
            ("http://127.1:8080", "http://127.0.0.1:8080", false),
            ("capacitor://localhost", "capacitor://localhost", false),
            ("https://*.Example.com:443", "https://*.example.com", true),
            ("https://*.example.com:8443", "https://*.example.com:8443", true),
            ("http://localhost:*", "http://localhost:*", true),
        ] {
            assert_eq!(read(written), (text.to_owned(), is_pattern), "{written}");
        }
    }

    #[test]
    fn what_only_a_configuration_can_say_is_refused() {
        assert!(error("*").ends_with("write \"cors_allow_origin *\" in the configuration"));
        assert!(error("null").ends_with("\"cors_allow_origin null\""));
        assert!(error(r"~https://a\.example").contains("write it in the configuration"));
        assert!(error("@others").contains("write it in the configuration"));
        assert!(error("https://$host").contains("without variables"));
    }

    #[test]
    fn what_names_no_origin_is_refused_as_in_a_configuration() {
        assert_eq!(
            error("app.example.com"),
            "the scheme is missing; write \"https://app.example.com\""
        );
        assert!(error("https://a.example,https://b.example").contains("separated by spaces"));
        assert!(error("https://a.example/").contains("trailing"));
        assert!(error("").contains("empty"));
    }

    #[test]
    fn risks_of_an_entry_are_those_of_the_same_value_in_a_configuration() {
        for (value, expected) in [
            ("https://app.example.com", ListRisks::NONE),
            ("https://*.example.com", ListRisks::NONE),
            ("http://localhost:3000", ListRisks::NONE),
            ("http://localhost:*", ListRisks::NONE),
            ("http://app.example.com", ListRisks::INSECURE),
            ("http://App.example.com", ListRisks::INSECURE),
            ("http://*.example.com", ListRisks::INSECURE),
            ("https://*.co.uk", ListRisks::SHARED_NAME),
            ("https://*.amazonaws.com", ListRisks::SHARED_NAME),
            ("http://*.github.io:*", ListRisks::SHARED_NAME | ListRisks::INSECURE),
            ("https://pr-*.github.io", ListRisks::SHARED_NAME),
            ("chrome-extension://*", ListRisks::ANY_HOST),
            ("file://", ListRisks::FILE),
        ] {
            assert_eq!(ListEntry::read(value).unwrap().risks, expected, "{value}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        /// The way around the crate `url` takes only what `url` would return as it is. It knows no origins of other schemes.
        #[test]
        fn an_entry_that_is_taken_as_it_stands_is_what_a_browser_sends(
            value in "(https?|wss?|ftp)://[a-z0-9A-Z_.-]{1,12}(\\.[a-z0-9-]{1,4}|\\.xn--[a-z0-9]{1,4}|)(:[0-9]{1,5}|)",
        ) {
            let Ok(ListEntry { text: Cow::Borrowed(text), .. }) = ListEntry::read(&value) else {
                return Ok(());
            };
            prop_assert_eq!(Url::parse(&value).unwrap().origin().ascii_serialization(), text);
        }

        #[test]
        fn reading_what_was_read_changes_nothing(value in "(https?|wss|app)://(\\*\\.|)[a-zA-Z0-9ä.-]{1,10}(:[0-9]{1,5}|:\\*|)") {
            if let Ok(entry) = ListEntry::read(&value) {
                let again = ListEntry::read(&entry.text);
                prop_assert_eq!(again.as_ref(), Ok(&entry));
            }
        }
    }
}
