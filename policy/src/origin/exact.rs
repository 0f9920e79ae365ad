//! Exact origins: one hash of the request's bytes, whatever their number.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// How much memory is asked for at a time, as a power of two. A block never moves: nothing is copied, and nothing is
/// left over, when a list of a million grows.
const BLOCK_BITS: u32 = 18;
const BLOCK: usize = 1 << BLOCK_BITS;

/// Where an origin lies: the number of its block and its place there, in one number.
#[derive(Clone, Copy, Debug)]
struct Span {
    place: u32,
    length: u16,
}

impl Span {
    fn new(block: usize, start: usize, length: usize) -> Option<Self> {
        let place = block.checked_shl(BLOCK_BITS)?.checked_add(start)?;
        Some(Self {
            place: u32::try_from(place).ok()?,
            length: u16::try_from(length).ok()?,
        })
    }

    #[inline]
    fn of(self, blocks: &[String]) -> Option<&str> {
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
    blocks: Vec<String>,
    table: HashTable<Span>,
}

impl ExactOrigins {
    /// Adds an origin; false where it was there already.
    pub(crate) fn insert(&mut self, origin: &str) -> Result<bool, Full> {
        let hash = hash(origin.as_bytes());
        if self.find(hash, origin.as_bytes()) {
            return Ok(false);
        }
        let Self { blocks, table } = self;
        let span = store(blocks, origin).ok_or(Full)?;
        table.insert_unique(hash, span, |span| self::hash(bytes(blocks, *span)));
        Ok(true)
    }

    pub(crate) fn contains(&self, origin: &[u8]) -> bool {
        !self.table.is_empty() && self.find(hash(origin), origin)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.table.iter().filter_map(|span| span.of(&self.blocks))
    }

    #[inline]
    fn find(&self, hash: u64, origin: &[u8]) -> bool {
        self.table
            .find(hash, |span| bytes(&self.blocks, *span) == origin)
            .is_some()
    }
}

fn store(blocks: &mut Vec<String>, origin: &str) -> Option<Span> {
    let has_room = |block: &String| BLOCK - block.len() >= origin.len();
    if !blocks.last().is_some_and(has_room) {
        // A short list needs no more than a few bytes; its block may move while it grows.
        let size = if blocks.is_empty() { 0 } else { BLOCK };
        blocks.push(String::with_capacity(size));
    }
    let number = blocks.len() - 1;
    let block = blocks.last_mut()?;
    let span = Span::new(number, block.len(), origin.len())?;
    block.push_str(origin);
    Some(span)
}

#[inline]
fn bytes(blocks: &[String], span: Span) -> &[u8] {
    span.of(blocks).map(str::as_bytes).unwrap_or_default()
}

/// A fixed seed: the table is built from the configuration, so no request can make it collide.
#[inline]
fn hash(bytes: &[u8]) -> u64 {
    FixedState::with_seed(0).hash_one(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_in_is_found_and_nothing_else() {
        let mut origins = ExactOrigins::default();
        for n in 0..10_000 {
            assert_eq!(origins.insert(&format!("https://tenant-{n}.example")), Ok(true));
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
        assert_eq!(origins.insert("foo.example"), Ok(true));
        assert_eq!(origins.insert("bar.example"), Ok(true));
        assert!(!origins.contains(b"examplebar.example"));
        assert!(!origins.contains(b"foo.examplebar.example"));
    }

    #[test]
    fn a_second_time_is_noticed() {
        let mut origins = ExactOrigins::default();
        assert_eq!(origins.insert("https://a.example"), Ok(true));
        assert_eq!(origins.insert("https://a.example"), Ok(false));
        assert!(origins.contains(b"https://a.example"));
    }
}
