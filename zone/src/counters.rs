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
/// The words of a slot.
pub(crate) const WORDS: usize = 24;

/// What the policy did to a request beside giving it headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// It answered a preflight, which was not passed on.
    Answered,
    /// It refused it (`cors_enforce`).
    Enforced,
    /// It only says what it would do.
    DryRun,
}

/// What is to be counted of a request.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// What it was.
    pub kind: Kind,
    /// How it ended; nothing means that CORS was off.
    pub outcome: Option<Outcome>,
    /// What the policy did.
    pub effect: Effect,
}

/// Whether a request that ended so was denied.
pub(crate) fn is_denial(outcome: Option<Outcome>) -> bool {
    match outcome {
        Some(Outcome::OriginDenied | Outcome::MethodDenied | Outcome::HeaderDenied | Outcome::Malformed) => true,
        Some(Outcome::None | Outcome::SameOrigin | Outcome::Allowed) | None => false,
    }
}

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

    /// Whether they are still the policy's: a process that has outlived several configurations may find another's.
    #[inline]
    pub(crate) fn belong_to(self, key: u64) -> bool {
        self.key() == key
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

    /// The words that count such a request.
    pub(crate) fn of(self, request: Counted) -> Option<(&'m AtomicU64, Option<&'m AtomicU64>)> {
        let kind = match request.kind {
            Kind::Actual => REQUESTS,
            Kind::Preflight => REQUESTS + OUTCOMES,
        };
        let also = match request.effect {
            Effect::None => None,
            Effect::Answered => Some(ANSWERED),
            Effect::Enforced => Some(ENFORCED),
            Effect::DryRun => is_denial(request.outcome).then_some(DRY_RUN),
        };
        let requests = self.0.get(kind + number(request.outcome))?;
        Some((requests, also.and_then(|also| self.0.get(also))))
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
