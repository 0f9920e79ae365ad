//! Which differences a conversion brings that the faults of a configuration, and the notes on it, announce.

use super::today::{FOLLOWED, HEAD_AS_GET, OPTIONS_SERVED};
use crate::diff::{Change, Difference, What};

/// A fault, and what is different where the module mends it.
const BY_FAULT: &[(&str, &[(What, Change)])] = &[
    (
        "missing-always",
        &[(What::ReadErrors, Change::Gains), (What::Credentials, Change::Gains)],
    ),
    ("missing-vary", &[(What::Caches, Change::Gains)]),
    (
        "method-left-out",
        &[(What::Read, Change::Gains), (What::SendMethod, Change::Gains)],
    ),
    ("preflight-without-origin", PREFLIGHTS),
    ("preflight-behind-authentication", PREFLIGHTS),
    ("preflight-forbidden", PREFLIGHTS),
    ("preflight-unanswered", PREFLIGHTS),
    ("preflight-limited", PREFLIGHTS),
    ("options-swallowed", &[(What::Options, Change::Changes)]),
    ("security-headers-lost", &[(What::Header, Change::Gains)]),
    ("try-files-in-if", &[(What::Status, Change::Changes)]),
    (
        "wildcard-list-with-credentials",
        &[
            (What::SendMethod, Change::Gains),
            (What::SendHeader, Change::Gains),
            (What::Credentials, Change::Gains),
            (What::ReadHeader, Change::Gains),
        ],
    ),
];

const PREFLIGHTS: &[(What, Change)] = &[
    (What::SendMethod, Change::Gains),
    (What::SendHeader, Change::Gains),
    (What::Credentials, Change::Gains),
    // What is sent is read.
    (What::Read, Change::Gains),
    (What::ReadErrors, Change::Gains),
];

/// A note, and what is different.
const BY_NOTE: &[(&str, &[(What, Change)])] = &[
    (HEAD_AS_GET, &[(What::Read, Change::Gains)]),
    (OPTIONS_SERVED, &[(What::Options, Change::Changes)]),
    (
        FOLLOWED,
        &[(What::Read, Change::Gains), (What::ReadErrors, Change::Gains)],
    ),
];

/// Whether one of these faults and notes says that something is different.
pub fn is_announced<'a>(difference: &Difference, mut names: impl Iterator<Item = &'a str>) -> bool {
    let is_this = |(what, change): &(What, Change)| (*what, *change) == (difference.what, difference.change);
    names.any(|name| {
        let mut tables = BY_FAULT.iter().chain(BY_NOTE);
        tables.any(|(known, differences)| *known == name && differences.iter().any(is_this))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Fault;

    fn difference(what: What, change: Change) -> Difference {
        Difference {
            place: String::new(),
            who: String::new(),
            change,
            what,
            text: String::new(),
        }
    }

    #[test]
    fn the_faults_are_those_of_lint() {
        for (id, _) in BY_FAULT {
            assert!(Fault::find(id).is_some(), "{id}");
        }
    }

    #[test]
    fn what_is_lost_is_never_announced_by_a_fault_that_only_lacks_something() {
        let faults = ["missing-always", "missing-vary"];
        assert!(is_announced(
            &difference(What::ReadErrors, Change::Gains),
            faults.into_iter()
        ));
        assert!(!is_announced(
            &difference(What::ReadErrors, Change::Loses),
            faults.into_iter()
        ));
        assert!(!is_announced(
            &difference(What::Read, Change::Gains),
            faults.into_iter()
        ));
    }
}
