//! What is counted for each policy.

use core::sync::atomic::{AtomicU64, Ordering};

use cors_policy::Outcome;

/// Kinds of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any but a preflight.
    Actual,
    /// A preflight.
    Preflight,
}

/// How requests end: `off`, and then as the policy says.
const OUTCOMES: usize = 8;

const KEY: usize = 0;
const GENERATION: usize = 1;
const REQUESTS: usize = 2;
const ANSWERED: usize = REQUESTS + 2 * OUTCOMES;
const ENFORCED: usize = ANSWERED + 1;
const DRY_RUN: usize = ENFORCED + 1;
/// The words of a slot: whole cache lines.
pub(crate) const WORDS: usize = 24;

/// Where the counters of one policy are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    pub(crate) number: usize,
    pub(crate) key: u64,
}

/// What is to be counted of one request.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// What it was.
    pub kind: Kind,
    /// How it ended; nothing means that CORS was off.
    pub outcome: Option<Outcome>,
    /// It is a preflight that was answered, not passed on.
    pub answered: bool,
    /// It was refused by `cors_enforce`.
    pub enforced: bool,
    /// The policy only says what it would do.
    pub dry_run: bool,
}

/// Whether a request that ended so was denied.
#[inline]
pub(crate) fn is_denial(outcome: Option<Outcome>) -> bool {
    match outcome {
        Some(Outcome::OriginDenied | Outcome::MethodDenied | Outcome::HeaderDenied | Outcome::Malformed) => true,
        Some(Outcome::None | Outcome::SameOrigin | Outcome::Allowed) | None => false,
    }
}

#[inline]
fn number(outcome: Option<Outcome>) -> usize {
    match outcome {
        None => 0,
        Some(Outcome::None) => 1,
        Some(Outcome::SameOrigin) => 2,
        Some(Outcome::Allowed) => 3,
        Some(Outcome::OriginDenied) => 4,
        Some(Outcome::MethodDenied) => 5,
        Some(Outcome::HeaderDenied) => 6,
        Some(Outcome::Malformed) => 7,
    }
}

/// The counters of one policy.
#[derive(Clone, Copy)]
pub(crate) struct Counters<'m>(&'m [AtomicU64; WORDS]);

impl<'m> Counters<'m> {
    #[inline]
    pub(crate) fn get(slots: &'m [AtomicU64], number: usize) -> Option<Self> {
        let start = number.checked_mul(WORDS)?;
        slots.get(start..)?.first_chunk().map(Self)
    }

    #[inline]
    pub(crate) fn key(self) -> u64 {
        self.0[KEY].load(Ordering::Relaxed)
    }

    pub(crate) fn generation(self) -> u64 {
        self.0[GENERATION].load(Ordering::Relaxed)
    }

    pub(crate) fn keep(self, generation: u64) {
        self.0[GENERATION].store(generation, Ordering::Relaxed);
    }

    /// Gives the counters to another policy.
    pub(crate) fn start(self, key: u64, generation: u64) {
        self.0[KEY].store(0, Ordering::Relaxed);
        for word in self.0 {
            word.store(0, Ordering::Relaxed);
        }
        self.keep(generation);
        self.0[KEY].store(key, Ordering::Release);
    }

    #[inline]
    pub(crate) fn count(self, request: Counted) {
        let add = |word: usize| {
            if let Some(word) = self.0.get(word) {
                word.fetch_add(1, Ordering::Relaxed);
            }
        };
        let kind = match request.kind {
            Kind::Actual => REQUESTS,
            Kind::Preflight => REQUESTS + OUTCOMES,
        };
        add(kind + number(request.outcome));
        if request.answered {
            add(ANSWERED);
        }
        if request.enforced {
            add(ENFORCED);
        }
        if request.dry_run && is_denial(request.outcome) {
            add(DRY_RUN);
        }
    }

    pub(crate) fn totals(self) -> Totals {
        let word = |word: usize| self.0.get(word).map_or(0, |word| word.load(Ordering::Relaxed));
        let requests = |kind: usize| core::array::from_fn(|outcome| word(REQUESTS + kind * OUTCOMES + outcome));
        Totals {
            actual: requests(0),
            preflights: requests(1),
            answered: word(ANSWERED),
            enforced: word(ENFORCED),
            dry_run: word(DRY_RUN),
        }
    }
}

/// What has been counted of one policy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    actual: [u64; OUTCOMES],
    preflights: [u64; OUTCOMES],
    /// Preflights that were answered, not passed on.
    pub answered: u64,
    /// Requests that `cors_enforce` refused.
    pub enforced: u64,
    /// Denials that changed nothing.
    pub dry_run: u64,
}

impl Totals {
    /// Requests of a kind that ended so.
    pub fn requests(&self, kind: Kind, outcome: Option<Outcome>) -> u64 {
        let counted = match kind {
            Kind::Actual => &self.actual,
            Kind::Preflight => &self.preflights,
        };
        counted.get(number(outcome)).copied().unwrap_or(0)
    }

    /// Requests of every kind.
    pub fn all(&self) -> u64 {
        self.actual.iter().chain(&self.preflights).sum()
    }
}
