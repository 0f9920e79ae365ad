//! The text under which an entry is kept and looked for: that of the origin or pattern, after the key and a space where
//! there are keys. Neither a key nor an entry holds a space, so no two of them can be mistaken for others.
//!
//! `https://` is left out, as most entries begin with it.

use arrayvec::ArrayVec;
use cors_policy::{ListEntry, ListRisks, Pieces};

use crate::table::{Filling, Full, Kind, Table};
use crate::words::LONGEST_WORD;

const HTTPS: &[u8] = b"https://";

/// Longer than any origin, and than any pattern, which has a `*` more here and there.
const LONGEST_ORIGIN: usize = 1024;

/// A text of these parts.
type Text = ArrayVec<u8, { LONGEST_WORD + 1 + LONGEST_ORIGIN }>;

/// The length of the text of an entry.
pub(crate) fn length(key: &[u8], entry: &ListEntry<'_>) -> usize {
    let (text, _) = split_https(entry.text.as_bytes(), Kind::EXACT);
    let key = if key.is_empty() { 0 } else { key.len() + 1 };
    key + text.len()
}

/// Puts an entry into a table.
pub(crate) fn insert(table: &mut Filling<'_>, key: &[u8], entry: &ListEntry<'_>) -> Result<(), Full> {
    let kind = if entry.is_pattern { Kind::PATTERN } else { Kind::EXACT };
    let (text, kind) = split_https(entry.text.as_bytes(), kind);
    if key.is_empty() {
        return table.insert(text, kind, entry.risks);
    }
    let text = with_key(key, text).ok_or(Full)?;
    table.insert(&text, kind, entry.risks)
}

/// Whether an origin is in a table as it stands.
#[inline]
pub(crate) fn is_listed(table: &Table<'_>, key: Option<&[u8]>, origin: &[u8], ignored: ListRisks) -> bool {
    let (text, kind) = split_https(origin, Kind::EXACT);
    match key {
        None => table.holds(text, kind, ignored),
        Some(key) => with_key(key, text).is_some_and(|text| table.holds(&text, kind, ignored)),
    }
}

/// Whether the pattern of these pieces is in a table.
#[inline(never)]
pub(crate) fn is_pattern_listed(
    table: &Table<'_>,
    key: Option<&[u8]>,
    pieces: &Pieces<'_>,
    ignored: ListRisks,
) -> bool {
    let [front, rest @ ..] = pieces;
    let (front, kind) = split_https(front, Kind::PATTERN);
    let text = match key {
        Some(key) => with_key(key, front),
        None => Text::try_from(front).ok(),
    };
    text.is_some_and(|mut text| {
        let fits = rest.iter().all(|piece| text.try_extend_from_slice(piece).is_ok());
        fits && table.holds(&text, kind, ignored)
    })
}

#[inline]
fn split_https(text: &[u8], kind: Kind) -> (&[u8], Kind) {
    match text.strip_prefix(HTTPS) {
        Some(rest) => (rest, kind.without_https()),
        None => (text, kind),
    }
}

/// A text that begins with a key; `None` if it is longer than any of a file.
fn with_key(key: &[u8], text: &[u8]) -> Option<Text> {
    let mut whole = Text::new();
    whole.try_extend_from_slice(key).ok()?;
    whole.try_push(b' ').ok()?;
    whole.try_extend_from_slice(text).ok()?;
    Some(whole)
}
