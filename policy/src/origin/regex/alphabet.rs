//! The bytes that an origin may hold, as sets.

/// All of them, those first that look most natural where an example has the choice.
const BYTES: [u8; 44] = *b"xabcdefghijklmnopqrstuvwyz0123456789-_.:/[]+";

/// A set of bytes that an origin may hold: one bit each, the number of a byte being its place in [`BYTES`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Bytes(u64);

impl Bytes {
    pub(super) const NONE: Self = Self(0);

    /// The set of this byte; empty where no origin holds it.
    pub(super) fn one(byte: u8) -> Self {
        BYTES
            .iter()
            .position(|&other| other == byte)
            .map_or(Self::NONE, |place| Self(1 << place))
    }

    /// The bytes from `first` to `last` that an origin may hold.
    pub(super) fn range(first: u8, last: u8) -> Self {
        Self::matching(|byte| first <= byte && byte <= last)
    }

    /// Those for which `holds` is true.
    pub(super) fn matching(holds: impl Fn(u8) -> bool) -> Self {
        let places = BYTES.iter().enumerate();
        Self(places.fold(0, |set, (place, &byte)| set | u64::from(holds(byte)) << place))
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The most natural one comes first.
    pub(super) fn iter(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let place = rest.trailing_zeros() as usize;
            rest &= rest.wrapping_sub(1);
            BYTES.get(place).copied()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_gives_back_what_went_in() {
        let set = Bytes::range(b'a', b'c').or(Bytes::one(b'.')).or(Bytes::one(b'x'));
        assert_eq!(set.iter().collect::<Vec<_>>(), b"xabc.");
        assert_eq!(set.len(), 5);
        assert_eq!(set.without(Bytes::range(b'a', b'z')), Bytes::one(b'.'));
    }

    #[test]
    fn what_no_origin_holds_is_in_no_set() {
        for byte in [b'A', b' ', b'@', 0, 0x80, 0xff, b'?'] {
            assert!(Bytes::one(byte).is_empty(), "{byte}");
        }
        assert_eq!(Bytes::range(0, 255).len(), 44);
    }
}
