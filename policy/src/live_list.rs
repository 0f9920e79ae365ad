//! A list of origins that changes while the server runs (`cors_origin_list`), as other directives name it.

use std::cell::OnceCell;
use std::fmt;

/// What the name of such a list begins with where a directive lists origins.
const MARK: char = '@';

/// A list that is named in a configuration, perhaps before the directive that says what it is.
pub struct LiveList {
    number: usize,
    name: Box<str>,
    source: OnceCell<ListSource>,
}

/// Where the entries of a list come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListSource {
    /// The name of the file.
    pub file: Box<str>,
    /// The text with variables whose value for a request is the key of its lines, where the file has keys.
    pub key: Option<Box<str>>,
}

/// Why a name is none.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a list consists of letters, digits and \"_\", \"-\", \".\"; write the name that its directive has"
)]
pub struct NoListName;

impl LiveList {
    /// The list of this name. The server asks for it by the number.
    pub fn new(number: usize, name: &str) -> Self {
        Self {
            number,
            name: name.into(),
            source: OnceCell::new(),
        }
    }

    /// Checks the name of a list.
    pub fn check_name(name: &str) -> Result<&str, NoListName> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        let is_name = !name.is_empty() && name.bytes().all(is_plain);
        is_name.then_some(name).ok_or(NoListName)
    }

    /// The number that the server has given it.
    #[inline]
    pub fn number(&self) -> usize {
        self.number
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Says where its entries come from, once; false if that has been said.
    pub fn set_source(&self, source: ListSource) -> bool {
        self.source.set(source).is_ok()
    }

    /// Where its entries come from.
    pub fn source(&self) -> Option<&ListSource> {
        self.source.get()
    }
}

/// The name alone tells lists of a configuration apart.
impl fmt::Debug for LiveList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{}", self.name)
    }
}

/// The name of a list in a value such as `@tenants`; `None` if the value is something else.
pub(crate) fn name_in(value: &str) -> Option<Result<&str, NoListName>> {
    value.strip_prefix(MARK).map(LiveList::check_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_the_mark_names_a_list() {
        assert_eq!(name_in("@tenants"), Some(Ok("tenants")));
        assert_eq!(name_in("@of-2.today_"), Some(Ok("of-2.today_")));
        assert_eq!(name_in("https://a.example"), None);
        for wrong in ["@", "@a/b", "@$a", "@ä", "@a:b"] {
            assert_eq!(name_in(wrong), Some(Err(NoListName)), "{wrong}");
        }
    }

    #[test]
    fn where_its_entries_come_from_is_said_once() {
        let list = LiveList::new(3, "tenants");
        let source = |file: &str| ListSource {
            file: file.into(),
            key: None,
        };
        assert!(list.set_source(source("one")) && !list.set_source(source("two")));
        assert_eq!(list.source(), Some(&source("one")));
        assert_eq!((list.number(), list.name()), (3, "tenants"));
    }
}
