//! Exact origins: one hash of the request's bytes, whatever their number.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// Where an origin lies in the arena.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u32,
    length: u32,
}

/// Origins, serialised one after the other in one block of memory.
#[derive(Default, Debug)]
pub(crate) struct ExactOrigins {
    arena: String,
    table: HashTable<Span>,
}

/// The arena holds 4 GiB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl ExactOrigins {
    /// Adds an origin; false where it was there already.
    pub(crate) fn insert(&mut self, origin: &str) -> Result<bool, Full> {
        let hash = hash(origin.as_bytes());
        if self.find(hash, origin.as_bytes()) {
            return Ok(false);
        }
        let start = u32::try_from(self.arena.len()).map_err(|_| Full)?;
        let length = u32::try_from(origin.len()).map_err(|_| Full)?;
        start.checked_add(length).ok_or(Full)?;
        self.arena.push_str(origin);
        let Self { arena, table } = self;
        table.insert_unique(hash, Span { start, length }, |span| self::hash(bytes(arena, *span)));
        Ok(true)
    }

    pub(crate) fn contains(&self, origin: &[u8]) -> bool {
        !self.table.is_empty() && self.find(hash(origin), origin)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        self.table.iter().filter_map(|span| {
            let start = span.start as usize;
            self.arena.get(start..start + span.length as usize)
        })
    }

    /// Gives back what growing left over, once the list is complete.
    pub(crate) fn shrink(&mut self) {
        let Self { arena, table } = self;
        arena.shrink_to_fit();
        table.shrink_to_fit(|span| hash(bytes(arena, *span)));
    }

    #[inline]
    fn find(&self, hash: u64, origin: &[u8]) -> bool {
        self.table
            .find(hash, |span| bytes(&self.arena, *span) == origin)
            .is_some()
    }
}

#[inline]
fn bytes(arena: &str, span: Span) -> &[u8] {
    let start = span.start as usize;
    arena
        .as_bytes()
        .get(start..start + span.length as usize)
        .unwrap_or_default()
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
        origins.shrink();
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
