//! FNV-1a over names, byte by byte: names are short, and the bytes come folded to lower case or in reverse.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// A running FNV-1a hash.
#[derive(Clone, Copy)]
pub(crate) struct NameHash(u64);

impl NameHash {
    pub(crate) const fn new() -> Self {
        Self(OFFSET)
    }

    #[inline]
    pub(crate) const fn push(self, byte: u8) -> Self {
        Self((self.0 ^ byte as u64).wrapping_mul(PRIME))
    }

    /// The hash of `name` in any case.
    pub(crate) fn of_folded(name: &[u8]) -> u64 {
        name.iter()
            .fold(Self::new(), |hash, byte| hash.push(byte.to_ascii_lowercase()))
            .finish()
    }

    /// The hash so far. The table takes its tag from the top bits, which FNV mixes least: fold them.
    #[inline]
    pub(crate) const fn finish(self) -> u64 {
        (self.0 ^ (self.0 >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }
}
