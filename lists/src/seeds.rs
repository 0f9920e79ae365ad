//! The secrets of one build, made of what was drawn when the memory was set up and of the stamp of the build.
//!
//! A reader makes them of the stamp that it found to be served. So it takes nothing for an entry that a build of another
//! stamp has written, be it that this one was overtaken while it was asleep and does not know yet.

use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use siphasher::sip128::SipHasher24;

use crate::control::Stamp;

/// The words of the secret that a zone is set up with.
pub const SECRET_WORDS: usize = 4;

/// The secrets of one build.
#[derive(Clone, Copy)]
pub(crate) struct Seeds {
    place: u64,
    mask: u64,
    key: [u64; 2],
}

impl Seeds {
    /// Those of the build of this stamp.
    #[inline]
    pub(crate) fn of_build([a, b, c, d]: [u64; SECRET_WORDS], stamp: Stamp) -> Self {
        let stamp = u64::from(stamp);
        // Both halves of a product of two secrets: whoever has not seen them cannot tell how the masks of two builds
        // differ.
        let product = u128::from(b ^ stamp) * u128::from(a | 1);
        Self {
            place: a ^ stamp,
            mask: product as u64 ^ (product >> u64::BITS) as u64,
            key: [c, d ^ stamp],
        }
    }

    /// A hash by which the place of a text is found. Nothing depends on it but the time that this takes.
    #[inline]
    pub(crate) fn place(&self, text: &[u8]) -> u64 {
        let mut hasher = FixedState::with_seed(self.place).build_hasher();
        hasher.write(text);
        hasher.finish()
    }

    /// A hash that stands for a text: to find another with the same is as hard as to guess a number of 128 bits.
    pub(crate) fn digest(&self, text: &[u8]) -> [u64; 2] {
        let [one, other] = self.key;
        let hash = SipHasher24::new_with_keys(one, other).hash(text);
        [hash.h1, hash.h2]
    }

    /// What words of texts are stored with, by exclusive or. What a build wrote that was overtaken is no text under the
    /// mask of another.
    #[inline]
    pub(crate) fn mask(&self) -> u64 {
        self.mask
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_build_has_secrets_of_its_own() {
        let seeds = |secret, stamp| {
            let seeds = Seeds::of_build(secret, stamp);
            (seeds.place(b"text"), seeds.mask(), seeds.digest(b"text"))
        };
        let secret = [0x1357_9bdf_0246_8ace, 0xfedc_ba98_7654_3210, 3, 4];
        for stamp in 1..1000 {
            let (one, other) = (seeds(secret, stamp), seeds(secret, stamp + 1));
            assert!(one.0 != other.0 && one.1 != other.1 && one.2 != other.2, "{stamp}");
            assert_eq!(seeds(secret, stamp), one);
        }
    }
}
