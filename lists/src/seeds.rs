//! The secrets of one build. Each build has others, made of its stamp and of what was drawn when the memory was set up.

use core::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;
use siphasher::sip128::{Hasher128, SipHasher24};

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
    pub(crate) const WORDS: usize = 4;

    /// Those of the build of this stamp.
    pub(crate) fn of_build(secret: [u64; SECRET_WORDS], stamp: Stamp) -> Self {
        let [a, b, c, d] = secret;
        let derive = |a, b, purpose: u32| {
            let mut hasher = SipHasher24::new_with_keys(a, b);
            hasher.write(&stamp.to_le_bytes());
            hasher.write(&purpose.to_le_bytes());
            let hash = hasher.finish128();
            [hash.h1, hash.h2]
        };
        let [place, mask] = derive(a, b, 0);
        Self {
            place,
            mask,
            key: derive(c, d, 1),
        }
    }

    pub(crate) fn to_words(self) -> [u64; Self::WORDS] {
        let [one, other] = self.key;
        [self.place, self.mask, one, other]
    }

    #[inline]
    pub(crate) fn from_words([place, mask, one, other]: [u64; Self::WORDS]) -> Self {
        let key = [one, other];
        Self { place, mask, key }
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
        let words = |secret, stamp| Seeds::of_build(secret, stamp).to_words();
        let secret = [1, 2, 3, 4];
        let one = words(secret, 1);
        assert_eq!(words(secret, 1), one);
        for other in [
            words(secret, 2),
            words([1, 2, 3, 5], 1),
            words([1, 2, 4, 4], 1),
            words([0, 2, 3, 4], 1),
        ] {
            assert_ne!(other, one);
        }
        for (index, word) in one.iter().enumerate() {
            assert_ne!(words(secret, 2)[index], *word);
        }
    }
}
