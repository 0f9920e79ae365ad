//! Which of the two halves is served, and which build may write to the other: one word, which changes as a whole.
//!
//! Each build has a stamp of its own. It begins by writing its stamp beside that of the list which is served
//! ([`Control::begin`]), fills the other half, and ends by putting its stamp in the place of the served one
//! ([`Control::publish`]). Whoever takes over from a build that was killed writes a stamp of its own, too, and so the
//! former cannot publish any more, should it have been asleep and not dead.
//!
//! A reader looks which stamp is served, reads the half, and looks again ([`Control::read`]): as a half is written only
//! while the other is served, it has read one whole list if the stamp is still the same.

use crate::sync::{fence, AtomicU64, Ordering};

/// The bits of the word, from the lowest: the stamp of the build that writes, or 0; the stamp of the list that is
/// served, or 0; the number of the half that is served.
const SERVED_SHIFT: u32 = 32;
const HALF_SHIFT: u32 = 63;
const STAMPS: u64 = (1 << (HALF_SHIFT - SERVED_SHIFT)) - 1;

/// So often a reader tries again when the list was replaced, and its half written to, while it read. Each time a whole
/// list has been built within a few hundred instructions of the reader, which can only be if it was stopped there.
const ATTEMPTS: usize = 4;

/// What tells one build from all others.
pub(crate) type Stamp = u32;

/// The word.
#[derive(Clone, Copy)]
pub(crate) struct Control<'m>(pub(crate) &'m AtomicU64);

/// What the word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State(u64);

impl State {
    fn served_half(self) -> usize {
        (self.0 >> HALF_SHIFT) as usize
    }

    fn served(self) -> Stamp {
        (self.0 >> SERVED_SHIFT & STAMPS) as Stamp
    }

    fn writing(self) -> Stamp {
        self.0 as Stamp
    }

    /// The state in which another build writes, and the stamp of that.
    fn begin(self) -> (Self, Stamp) {
        let last = u64::from(self.served().max(self.writing()));
        let stamp = (last % STAMPS) + 1;
        let kept = self.0 >> SERVED_SHIFT << SERVED_SHIFT;
        (Self(kept | stamp), stamp as Stamp)
    }

    /// The state in which what was written is served.
    fn publish(self) -> Self {
        let half = 1 - self.served_half() as u64;
        Self(half << HALF_SHIFT | u64::from(self.writing()) << SERVED_SHIFT)
    }
}

/// A half and who writes to it, or has written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    /// The number of the half.
    pub(crate) half: usize,
    /// The stamp of the build.
    pub(crate) stamp: Stamp,
}

/// Someone else builds, or has built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Overtaken;

impl Control<'_> {
    /// The list that is served, if there is one.
    #[inline]
    pub(crate) fn served(self) -> Option<Written> {
        let state = State(self.0.load(Ordering::Acquire));
        let (half, stamp) = (state.served_half(), state.served());
        (stamp != 0).then_some(Written { half, stamp })
    }

    /// What `look` makes of the list that is served; `None` where there is none.
    ///
    /// What `look` reads may be replaced meanwhile, and then it is called again.
    #[inline]
    pub(crate) fn read<T>(self, mut look: impl FnMut(Written) -> T) -> Result<Option<T>, Overtaken> {
        for _ in 0..ATTEMPTS {
            let Some(served) = self.served() else {
                return Ok(None);
            };
            let seen = look(served);
            // Whoever writes to the half has served the other before: if `look` saw a word of it, so does this load.
            fence(Ordering::Acquire);
            if State(self.0.load(Ordering::Relaxed)).served() == served.stamp {
                return Ok(Some(seen));
            }
        }
        Err(Overtaken)
    }

    /// Begins a build, and with that ends those that have begun before.
    pub(crate) fn begin(self) -> Written {
        let mut state = State(self.0.load(Ordering::Acquire));
        loop {
            let (next, stamp) = state.begin();
            let changed = self
                .0
                .compare_exchange(state.0, next.0, Ordering::AcqRel, Ordering::Acquire);
            match changed {
                Ok(_) => {
                    // What is written from here on is not seen before the word is.
                    fence(Ordering::Release);
                    return Written {
                        half: 1 - state.served_half(),
                        stamp,
                    };
                }
                Err(other) => state = State(other),
            }
        }
    }

    /// Whether the build of this stamp may go on writing.
    pub(crate) fn is_writing(self, stamp: Stamp) -> bool {
        State(self.0.load(Ordering::Relaxed)).writing() == stamp
    }

    /// Serves what the build of this stamp has written, in the place of what was served.
    pub(crate) fn publish(self, stamp: Stamp) -> Result<(), Overtaken> {
        let state = State(self.0.load(Ordering::Acquire));
        if state.writing() != stamp {
            return Err(Overtaken);
        }
        self.0
            .compare_exchange(state.0, state.publish().0, Ordering::AcqRel, Ordering::Relaxed)
            .map_or(Err(Overtaken), |_| Ok(()))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_list_is_served_from_the_half_that_the_last_was_not_in() {
        let word = AtomicU64::new(0);
        let control = Control(&word);
        assert_eq!(control.read(|_| ()), Ok(None));
        let mut last = None;
        for _ in 0..5 {
            let build = control.begin();
            assert_ne!(Some(build.half), last);
            assert_eq!(control.served().map(|served| served.half), last);
            control.publish(build.stamp).unwrap();
            last = Some(build.half);
            assert_eq!(control.read(|served| served.half), Ok(last));
        }
    }

    #[test]
    fn a_build_that_another_took_over_from_changes_nothing() {
        let word = AtomicU64::new(0);
        let control = Control(&word);
        let (slow, quick) = (control.begin(), control.begin());
        assert!(!control.is_writing(slow.stamp) && control.is_writing(quick.stamp));
        assert_eq!(control.publish(slow.stamp), Err(Overtaken));
        control.publish(quick.stamp).unwrap();
        assert_eq!(control.publish(slow.stamp), Err(Overtaken));
        assert_eq!(control.publish(quick.stamp), Err(Overtaken));
        assert_eq!(control.served(), Some(quick));
    }

    #[test]
    fn a_reader_looks_again_when_the_list_was_replaced_and_gives_up_in_the_end() {
        let word = AtomicU64::new(0);
        let control = Control(&word);
        let replace = || control.publish(control.begin().stamp).unwrap();
        replace();
        let mut looks = 0;
        let once = |served| {
            looks += 1;
            if looks == 1 {
                replace();
            }
            served
        };
        assert_eq!(control.read(once), Ok(control.served()));
        assert_eq!(looks, 2);
        assert_eq!(control.read(|_| replace()), Err(Overtaken));
    }

    #[test]
    fn stamps_begin_again_when_they_are_used_up() {
        let word = AtomicU64::new(STAMPS << SERVED_SHIFT);
        let control = Control(&word);
        let build = control.begin();
        assert_eq!(build.stamp, 1);
        control.publish(build.stamp).unwrap();
        assert_eq!(control.served(), Some(build));
    }
}
