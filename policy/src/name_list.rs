//! A list of names as a directive gives it: found by a hash, and sent in the order in which they were written.

use hashbrown::HashTable;

use crate::name_hash::hash_folded;

/// Names of methods or headers.
#[derive(Debug, Default)]
pub(crate) struct NameList {
    names: HashTable<Box<str>>,
    /// The names, separated by commas.
    line: String,
}

impl NameList {
    /// Adds a name, which is not in the list yet.
    pub(crate) fn add(&mut self, name: &str) {
        self.insert(name.into());
        self.add_to_line(name);
    }

    /// Adds a name whose case does not matter. It is kept in lower case, as browsers send the names of headers.
    pub(crate) fn add_in_any_case(&mut self, name: &str) {
        self.insert(name.to_ascii_lowercase().into());
        self.add_to_line(name);
    }

    fn insert(&mut self, name: Box<str>) {
        let hash = hash_folded(name.as_bytes());
        self.names
            .insert_unique(hash, name, |name| hash_folded(name.as_bytes()));
    }

    /// Adds what is sent, but is no name: `*`.
    pub(crate) fn add_to_line(&mut self, element: &str) {
        if !self.line.is_empty() {
            self.line.push_str(", ");
        }
        self.line.push_str(element);
    }

    /// Whether the list has this name in this case: methods are compared so (RFC 9110, section 9.1).
    pub(crate) fn has_exactly(&self, name: &[u8]) -> bool {
        self.find(name, |listed| listed == name)
    }

    /// Whether the list has this name in any case: headers are compared so (RFC 9110, section 5.1).
    pub(crate) fn has_in_any_case(&self, name: &[u8]) -> bool {
        self.find(name, |listed| listed == name || listed.eq_ignore_ascii_case(name))
    }

    fn find(&self, name: &[u8], is_same: impl Fn(&[u8]) -> bool) -> bool {
        self.names
            .find(hash_folded(name), |listed| is_same(listed.as_bytes()))
            .is_some()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The names, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// All that was added, separated by commas.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_their_case_or_in_any() {
        let mut list = NameList::default();
        list.add("PUT");
        list.add("put");
        assert!(list.has_exactly(b"PUT") && list.has_exactly(b"put") && !list.has_exactly(b"Put"));
        assert!(list.has_in_any_case(b"Put") && !list.has_in_any_case(b"PUTS"));
        assert_eq!(list.line(), "PUT, put");
    }
}
