//! Exact origins: one hash of the request's bytes, whatever their number.

use std::hash::{BuildHasher, Hasher};
use std::rc::Rc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::problem::Position;

/// How much memory is asked for at a time, as a power of two. A block never moves: nothing is copied, and nothing is
/// left over, when a list of a million grows.
const BLOCK_BITS: u32 = 18;
const BLOCK: usize = 1 << BLOCK_BITS;

/// So many are found sooner by comparing than by a hash.
const FEW: usize = 4;

/// The places in so many files are remembered.
const MOST_FILES: usize = u16::MAX as usize;

/// Where an origin lies, and where it was listed.
#[derive(Clone, Copy, Debug)]
struct Span {
    /// The number of its block and its place there, in one number.
    place: u32,
    length: u16,
    /// The number of the file; past the end of those that are known if there are too many.
    file: u16,
    line: u32,
}

impl Span {
    #[inline]
    fn of(self, blocks: &[Vec<u8>]) -> Option<&[u8]> {
        let start = self.place as usize & (BLOCK - 1);
        let block = blocks.get((self.place >> BLOCK_BITS) as usize)?;
        block.get(start..start + usize::from(self.length))
    }
}

/// There is no room for more than 4 GiB of origins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

/// Origins, serialised one after the other in a few blocks of memory.
#[derive(Default, Debug)]
pub(crate) struct ExactOrigins {
    /// All of them, as long as they are few.
    few: Vec<Box<[u8]>>,
    blocks: Vec<Vec<u8>>,
    table: HashTable<Span>,
    files: Vec<Rc<str>>,
}

impl ExactOrigins {
    /// Adds an origin; false where it was there already.
    pub(crate) fn insert(&mut self, origin: &str, at: &Position) -> Result<bool, Full> {
        let hash = hash(origin.as_bytes());
        if self.find(hash, origin.as_bytes()) {
            return Ok(false);
        }
        let Self {
            few,
            blocks,
            table,
            files,
        } = self;
        let place = store(blocks, origin).ok_or(Full)?;
        if files.last().is_none_or(|last| !Rc::ptr_eq(last, &at.file)) && files.len() < MOST_FILES {
            files.push(at.file.clone());
        }
        let is_known = files.last().is_some_and(|last| Rc::ptr_eq(last, &at.file));
        let span = Span {
            place,
            length: u16::try_from(origin.len()).map_err(|_| Full)?,
            file: u16::try_from(if is_known { files.len() - 1 } else { MOST_FILES }).map_err(|_| Full)?,
            line: u32::try_from(at.line).map_err(|_| Full)?,
        };
        table.insert_unique(hash, span, |span| self::hash(bytes(blocks, *span)));
        if table.len() <= FEW {
            few.push(origin.as_bytes().into());
        } else {
            *few = Vec::new();
        }
        Ok(true)
    }

    #[inline(always)]
    pub(crate) fn contains(&self, origin: &[u8]) -> bool {
        if self.few.is_empty() {
            return self.contains_hashed(origin);
        }
        // A loop of its own: the iterator's would be a call.
        for few in &self.few {
            if **few == *origin {
                return true;
            }
        }
        false
    }

    #[inline(never)]
    fn contains_hashed(&self, origin: &[u8]) -> bool {
        !self.table.is_empty() && self.find(hash(origin), origin)
    }

    /// Each origin, and where it was listed if that is known.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, Option<Position>)> {
        self.table.iter().filter_map(|span| {
            let file = self.files.get(usize::from(span.file)).cloned();
            let at = file.map(|file| Position {
                file,
                line: span.line as usize,
            });
            Some((std::str::from_utf8(span.of(&self.blocks)?).ok()?, at))
        })
    }

    #[inline]
    fn find(&self, hash: u64, origin: &[u8]) -> bool {
        self.table
            .find(hash, |span| bytes(&self.blocks, *span) == origin)
            .is_some()
    }
}

/// The place of `origin`, which is appended to the last block that has room for it.
fn store(blocks: &mut Vec<Vec<u8>>, origin: &str) -> Option<u32> {
    let has_room = |block: &Vec<u8>| BLOCK - block.len() >= origin.len();
    if !blocks.last().is_some_and(has_room) {
        // A short list needs no more than a few bytes; its block may move while it grows.
        let size = if blocks.is_empty() { 0 } else { BLOCK };
        blocks.push(Vec::with_capacity(size));
    }
    let number = blocks.len() - 1;
    let block = blocks.last_mut()?;
    let place = number.checked_shl(BLOCK_BITS)?.checked_add(block.len())?;
    block.extend_from_slice(origin.as_bytes());
    u32::try_from(place).ok()
}

#[inline]
fn bytes(blocks: &[Vec<u8>], span: Span) -> &[u8] {
    span.of(blocks).unwrap_or_default()
}

/// A fixed seed: the table is built from the configuration, so no request can make it collide.
#[inline]
pub(super) fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, line: usize) -> Position {
        Position {
            file: file.into(),
            line,
        }
    }

    #[test]
    fn what_went_in_is_found_and_nothing_else() {
        let mut origins = ExactOrigins::default();
        for n in 0..10_000 {
            assert_eq!(
                origins.insert(&format!("https://tenant-{n}.example"), &at("a", 1)),
                Ok(true)
            );
        }
        for n in 0..10_000 {
            assert!(origins.contains(format!("https://tenant-{n}.example").as_bytes()));
        }
        assert!(!origins.contains(b"https://tenant-10000.example"));
        assert!(!origins.contains(b""));
    }

    #[test]
    fn neighbours_in_memory_do_not_join() {
        let mut origins = ExactOrigins::default();
        assert_eq!(origins.insert("foo.example", &at("a", 1)), Ok(true));
        assert_eq!(origins.insert("bar.example", &at("a", 1)), Ok(true));
        assert!(!origins.contains(b"examplebar.example"));
        assert!(!origins.contains(b"foo.examplebar.example"));
    }

    #[test]
    fn a_second_time_is_noticed() {
        let mut origins = ExactOrigins::default();
        assert_eq!(origins.insert("https://a.example", &at("a", 1)), Ok(true));
        assert_eq!(origins.insert("https://a.example", &at("a", 1)), Ok(false));
        assert!(origins.contains(b"https://a.example"));
    }

    #[test]
    fn the_place_of_each_is_remembered() {
        let mut origins = ExactOrigins::default();
        let (a, b) = (at("a", 3), at("b", 4));
        for (origin, at) in [("one.example", &a), ("two.example", &b), ("three.example", &a)] {
            assert_eq!(origins.insert(origin, at), Ok(true));
        }
        let mut places: Vec<_> = origins.iter().map(|(origin, at)| (origin, at.unwrap())).collect();
        places.sort_by_key(|(origin, _)| *origin);
        assert_eq!(
            places,
            [("one.example", a.clone()), ("three.example", a), ("two.example", b)]
        );
    }

    #[test]
    fn of_more_files_than_are_remembered_the_origins_are_still_found() {
        let mut origins = ExactOrigins::default();
        for n in 0..MOST_FILES + 10 {
            assert_eq!(origins.insert(&format!("{n}.example"), &at("a", 1)), Ok(true));
        }
        assert!(origins.contains(b"65540.example"));
        assert_eq!(origins.iter().filter(|(_, at)| at.is_none()).count(), 10);
    }
}
