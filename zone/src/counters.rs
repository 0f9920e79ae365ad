//! The counters of a policy.

use cors_policy::Outcome;

use crate::sync::{AtomicU64, Ordering};

/// The kind of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    /// Any request but a preflight.
    Actual,
    /// A preflight.
    Preflight,
}

impl RequestKind {
    /// Both kinds.
    pub(crate) const ALL: [Self; 2] = [Self::Actual, Self::Preflight];
}

/// The number of ways in which a request can end: `off`, and the outcomes of a policy.
const OUTCOMES: usize = 1 + Outcome::ALL.len();

const KEY: usize = 0;
const GENERATION: usize = 1;
const REQUESTS: usize = 2;
const ANSWERED: usize = REQUESTS + 2 * OUTCOMES;
const ENFORCED: usize = ANSWERED + 1;
const DRY_RUN: usize = ENFORCED + 1;
const CANDIDATE_GAINS: usize = DRY_RUN + 1;
const CANDIDATE_LOSSES: usize = CANDIDATE_GAINS + 1;
/// The words of a slot: whole lines of the processor's cache, so that no two policies share one.
pub(crate) const WORDS: usize = (CANDIDATE_LOSSES + 1).next_multiple_of(8);

/// What the policy did to a request, apart from the headers of its response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// It answered the preflight itself.
    Answered,
    /// It blocked the request (`cors_enforce`).
    Enforced,
    /// It changed nothing (`cors_dry_run`).
    DryRun,
}

/// What is counted of a request.
#[derive(Clone, Copy, Debug)]
pub struct Counted {
    /// Its kind.
    pub kind: RequestKind,
    /// How it ended; `None` where CORS was off.
    pub outcome: Option<Outcome>,
    /// What the policy did.
    pub effect: Effect,
    /// What its candidate would have changed.
    pub candidate: Option<CandidateChange>,
}

/// What another policy (`cors_candidate`) would have changed for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateChange {
    /// It would have been better off.
    Gain,
    /// It would have been worse off.
    Loss,
}

/// Whether a request that ended so was denied.
pub(crate) fn is_denial(outcome: Option<Outcome>) -> bool {
    outcome.is_some_and(Outcome::is_denial)
}

/// How requests of a kind can end; `None` where CORS was off, and so nobody asked whether it was a preflight.
pub(crate) fn outcomes(kind: RequestKind) -> impl Iterator<Item = Option<Outcome>> {
    let is_preflight = kind == RequestKind::Preflight;
    let possible = Outcome::ALL
        .into_iter()
        .filter(move |outcome| outcome.is_possible(is_preflight));
    let off = (!is_preflight).then_some(None);
    off.into_iter().chain(possible.map(Some))
}

fn number(outcome: Option<Outcome>) -> usize {
    outcome.map_or(0, |outcome| outcome.number() + 1)
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

    /// Whether the counters still belong to the policy of this key. A worker of an old configuration, which goes on until
    /// its last connection is closed, may find that they were given to another policy.
    ///
    /// Whoever sees the new key sees the counters that were set to 0 for it, too: what it adds is not lost.
    #[inline]
    pub(crate) fn belong_to(self, key: u64) -> bool {
        self.0[KEY].load(Ordering::Acquire) == key
    }

    pub(crate) fn generation(self) -> u64 {
        self.0[GENERATION].load(Ordering::Relaxed)
    }

    pub(crate) fn keep(self, generation: u64) {
        self.0[GENERATION].store(generation, Ordering::Relaxed);
    }

    /// Gives the counters to another policy. A worker of an old configuration that has just looked at the key may still
    /// add one request of the old policy; it adds no more.
    pub(crate) fn start(self, key: u64, generation: u64) {
        self.0[KEY].store(0, Ordering::Relaxed);
        for word in self.0 {
            word.store(0, Ordering::Relaxed);
        }
        self.keep(generation);
        self.0[KEY].store(key, Ordering::Release);
    }

    /// Counts a request for the policy of this key; false if the counters belong to another by now.
    #[inline]
    pub(crate) fn count(self, key: u64, request: Counted) -> bool {
        if !self.belong_to(key) {
            return false;
        }
        let of_kind = match request.kind {
            RequestKind::Actual => REQUESTS,
            RequestKind::Preflight => REQUESTS + OUTCOMES,
        };
        self.add_one(of_kind + number(request.outcome));
        match request.effect {
            Effect::None => {}
            Effect::Answered => self.add_one(ANSWERED),
            Effect::Enforced => self.add_one(ENFORCED),
            Effect::DryRun if is_denial(request.outcome) => self.add_one(DRY_RUN),
            Effect::DryRun => {}
        }
        match request.candidate {
            None => {}
            Some(CandidateChange::Gain) => self.add_one(CANDIDATE_GAINS),
            Some(CandidateChange::Loss) => self.add_one(CANDIDATE_LOSSES),
        }
        true
    }

    #[inline]
    fn add_one(self, word: usize) {
        if let Some(counter) = self.0.get(word) {
            counter.fetch_add(1, Ordering::Relaxed);
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
            candidate_gains: word(CANDIDATE_GAINS),
            candidate_losses: word(CANDIDATE_LOSSES),
        }
    }
}

/// The values of a policy's counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    actual: [u64; OUTCOMES],
    preflights: [u64; OUTCOMES],
    /// Preflights that the module answered itself.
    pub answered: u64,
    /// Requests that `cors_enforce` blocked.
    pub enforced: u64,
    /// Denials under `cors_dry_run`.
    pub dry_run: u64,
    /// Requests that `cors_candidate` would treat better than the policy in force.
    pub candidate_gains: u64,
    /// Requests that it would treat worse.
    pub candidate_losses: u64,
}

impl Totals {
    /// The number of requests of a kind with this outcome.
    pub fn requests(&self, kind: RequestKind, outcome: Option<Outcome>) -> u64 {
        let counted = match kind {
            RequestKind::Actual => &self.actual,
            RequestKind::Preflight => &self.preflights,
        };
        counted.get(number(outcome)).copied().unwrap_or(0)
    }

    /// The number of all requests.
    pub fn all(&self) -> u64 {
        self.actual.iter().chain(&self.preflights).sum()
    }
}
