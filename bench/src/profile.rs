//! Reads a profile that callgrind has written, and tells what of it the C library's allocator took.
//!
//! What `malloc` costs depends on which blocks happen to be free. That differs by hundreds of instructions from one
//! configuration to the next and has nothing to do with CORS, so it is shown apart from the rest.
//!
//! The allocator's cost is the inclusive cost of the calls that enter it: of `malloc`, `free` and their like in the C
//! library, whoever calls them. What they call in turn (`_int_malloc`, `malloc_consolidate`, `memcpy` in `realloc`) is part
//! of it, whether it has a name or, without debug information, an address alone. `posix_memalign` ends in `malloc`: a
//! call from within the allocator is not counted once more.
//!
//! The format is described in valgrind's manual, "Callgrind Format Specification".

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure, Context, Result};

use crate::cost::Cost;

/// The functions of the C library that enter its allocator.
const ENTRIES: [&str; 10] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "free",
    "posix_memalign",
    "memalign",
    "aligned_alloc",
    "valloc",
    "pvalloc",
];

/// The number that callgrind gives to a function: names are not unique, static functions may share one.
type Function = u32;

/// Functions, and who calls whom at which inclusive cost.
#[derive(Default)]
struct Profile {
    /// What the functions cost by themselves, all together.
    total: i64,
    entries: BTreeSet<Function>,
    /// Inclusive costs by caller and callee. Where a signal interrupted a call, and callgrind wrote a file within the
    /// signal's handler, callgrind subtracts more from the call's cost than it had: such a figure is a negative one.
    calls: BTreeMap<(Function, Function), u64>,
}

/// What a profile's instructions were spent on. Nothing if callgrind has not written all of it yet.
pub fn cost(text: &str) -> Result<Option<Cost>> {
    let Some(total) = total(text) else {
        return Ok(None);
    };
    let profile = Profile::parse(text)?;
    ensure!(
        profile.total == total,
        "the lines of callgrind's file add up to {}, its total is {total}",
        profile.total
    );
    let allocator = profile.allocator()?;
    Ok(Some(Cost {
        instructions: total - allocator,
        allocator,
    }))
}

/// The sum at the end of a complete file.
fn total(text: &str) -> Option<i64> {
    let line = text.lines().rev().find(|line| !line.is_empty())?;
    line.strip_prefix("totals: ")?.trim().parse().ok()
}

/// Names that callgrind writes once, and abbreviates as a number from then on: `(12) malloc`, later `(12)`.
#[derive(Default)]
struct Names<'a> {
    by_number: BTreeMap<u32, &'a str>,
}

impl<'a> Names<'a> {
    fn read(&mut self, text: &'a str) -> Result<(u32, &'a str)> {
        let inside = text.strip_prefix('(').and_then(|rest| rest.split_once(')'));
        let (number, name) = inside.with_context(|| format!("no number before the name in {text:?}"))?;
        let number = number.parse().with_context(|| format!("no number in {text:?}"))?;
        if !name.is_empty() {
            self.by_number.insert(number, name.trim_start());
        }
        let name = self.by_number.get(&number);
        Ok((
            number,
            name.copied()
                .with_context(|| format!("{text:?} is named nowhere before"))?,
        ))
    }
}

impl Profile {
    fn parse(text: &str) -> Result<Self> {
        let mut profile = Self::default();
        let (mut objects, mut functions) = (Names::default(), Names::default());
        let mut object = "";
        // The callee's, where it is not that of the caller.
        let mut object_called = None;
        let mut function = None;
        let mut called = None;
        // The line below `calls=` has the inclusive cost of these calls.
        let mut is_cost_of_calls = false;
        for line in text.lines() {
            let is_cost = line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first));
            if is_cost {
                let cost = line.split(' ').nth(1).and_then(|cost| cost.parse::<u64>().ok());
                let cost = cost.with_context(|| format!("no cost in {line:?}"))?;
                if std::mem::take(&mut is_cost_of_calls) {
                    let caller = function.context("a call from no function")?;
                    let callee = called.take().context("a call of no function")?;
                    let sum = profile.calls.entry((caller, callee)).or_default();
                    *sum = sum.wrapping_add(cost);
                } else {
                    profile.total += i64::try_from(cost)?;
                }
                continue;
            }
            let Some((key, value)) = line.split_once('=') else {
                match line.split_once(": ") {
                    Some(("positions", positions)) => ensure!(positions == "line", "positions are {positions}"),
                    Some(("events", events)) => ensure!(events == "Ir", "events are {events}"),
                    _ => (), // blank lines, and what is of no interest in the head of the file
                }
                continue;
            };
            match key {
                "ob" => object = objects.read(value)?.1,
                "cob" => object_called = Some(objects.read(value)?.1),
                "fn" => function = Some(profile.function(object, functions.read(value)?)),
                "cfn" => {
                    let object = object_called.take().unwrap_or(object);
                    called = Some(profile.function(object, functions.read(value)?));
                }
                "calls" => is_cost_of_calls = true,
                "fl" | "fi" | "fe" | "cfi" | "cfl" => (), // which source file
                _ if function.is_none() => (),            // the head of the file holds a command line
                _ => bail!("a line of callgrind's that nobody expected: {line:?}"),
            }
        }
        Ok(profile)
    }

    fn function(&mut self, object: &str, (number, name): (Function, &str)) -> Function {
        if is_entry(object, name) {
            self.entries.insert(number);
        }
        number
    }

    /// What the calls cost that enter the allocator from outside.
    fn allocator(&self) -> Result<i64> {
        let called = self.called_by_allocator();
        let inside = self.called_by_nobody_else(&called);
        let mut sum = 0;
        for (&(caller, callee), &cost) in &self.calls {
            if !self.entries.contains(&callee) || inside.contains(&caller) {
                continue;
            }
            // It is part of what the allocator costs at one time, and not at another.
            ensure!(
                !called.contains(&caller),
                "function ({caller}) calls the allocator, and is called both by it and by others"
            );
            sum += i64::try_from(cost).context("a signal has interrupted the allocator")?;
        }
        Ok(sum)
    }

    /// The entries, and all functions that they call, directly or not.
    fn called_by_allocator(&self) -> BTreeSet<Function> {
        let mut called = self.entries.clone();
        loop {
            let calls = self.calls.keys().filter(|(caller, _)| called.contains(caller));
            let callees: BTreeSet<Function> = calls.map(|&(_, callee)| callee).collect();
            let before = called.len();
            called.extend(callees);
            if called.len() == before {
                return called;
            }
        }
    }

    /// The entries, and those of `called` that only the allocator calls. Functions that call each other stay.
    fn called_by_nobody_else(&self, called: &BTreeSet<Function>) -> BTreeSet<Function> {
        let mut inside = called.clone();
        loop {
            let calls = self.calls.keys().filter(|(caller, _)| !inside.contains(caller));
            let others: BTreeSet<Function> = calls.map(|&(_, callee)| callee).collect();
            let before = inside.len();
            inside.retain(|function| self.entries.contains(function) || !others.contains(function));
            if inside.len() == before {
                return inside;
            }
        }
    }
}

/// Whether a function is one of the allocator's that programs call.
fn is_entry(object: &str, name: &str) -> bool {
    let file = object.rsplit('/').next().unwrap_or(object);
    // Programs have functions of these names, too.
    if !file.starts_with("libc.so.") && !file.starts_with("libc-2.") {
        return false;
    }
    // glibc has several names for each, and debug information brings more: `__libc_malloc`, `__GI___libc_free`,
    // `__posix_memalign`, `free@@GLIBC_2.2.5`. valgrind shows one of them.
    let name = name.split('@').next().unwrap_or(name);
    let name = name.strip_prefix("__GI_").unwrap_or(name);
    let plain = ["__libc_", "__"].iter().find_map(|prefix| name.strip_prefix(prefix));
    ENTRIES.contains(&plain.unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::{cost, is_entry};
    use crate::cost::Cost;

    /// Six requests to nginx 1.28.3 on Debian 12, without the functions that neither call the allocator nor belong to it.
    const WITH_NAMES: &str = include_str!("../profiles/debug-information.out");
    /// The same where glibc's debug information is not installed.
    const WITHOUT_NAMES: &str = include_str!("../profiles/no-debug-information.out");

    const LIBC: &str = "/usr/lib/x86_64-linux-gnu/libc.so.6";

    /// A function, in the C library behind a `!`, else in nginx: what it costs by itself, and its calls of others with
    /// their inclusive cost.
    type Declared = (&'static str, i64, &'static [(&'static str, i64)]);

    fn profile(functions: &[Declared]) -> String {
        let mut names: Vec<&str> = Vec::new();
        let mut number = |name| {
            let known = names.iter().position(|known| *known == name);
            known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            })
        };
        let object = |name: &str| if name.starts_with('!') { LIBC } else { "nginx" };
        let mut text = String::from("positions: line\nevents: Ir\n\n");
        let mut total = 0;
        for &(name, own, calls) in functions {
            let line = format!(
                "ob=({}) {}\nfn=({}) {}\n",
                u8::from(name.starts_with('!')),
                object(name),
                number(name),
                name.trim_start_matches('!')
            );
            text += &format!("{line}10 {own}\n");
            total += own;
            for &(callee, inclusive) in calls {
                text += &format!(
                    "cob=({}) {}\ncfn=({}) {}\ncalls=1 5\n+1 {inclusive}\n",
                    u8::from(callee.starts_with('!')),
                    object(callee),
                    number(callee),
                    callee.trim_start_matches('!')
                );
            }
        }
        format!("{text}\ntotals: {total}\n")
    }

    fn allocator(functions: &[Declared]) -> i64 {
        let cost = cost(&profile(functions)).expect("a profile");
        cost.expect("a complete profile").allocator
    }

    #[test]
    fn a_file_without_its_total_is_not_complete_yet() {
        let text = profile(&[("main", 17, &[])]);
        let (incomplete, _) = text.split_once("totals").expect("a total");
        assert_eq!(cost(incomplete).expect("no error"), None);
        assert_eq!(cost("").expect("no error"), None);
    }

    /// The difference to the cost below 2^64, as callgrind writes it.
    const NEGATIVE: &str = "18446744073705754391";

    #[test]
    fn calls_that_a_signal_interrupted_do_not_matter_outside_of_the_allocator() {
        let functions: &[Declared] = &[
            ("main", 17, &[("wait", 7)]),
            ("wait", 2, &[("!malloc", 5)]),
            ("!malloc", 5, &[]),
        ];
        let text = profile(functions).replace("+1 7\n", &format!("+1 {NEGATIVE}\n"));
        assert!(text.contains(NEGATIVE));
        let expected = Cost {
            instructions: 19,
            allocator: 5,
        };
        assert_eq!(cost(&text).expect("a profile"), Some(expected));
    }

    #[test]
    fn a_call_of_the_allocator_that_a_signal_interrupted_is_an_error() {
        let text = profile(&[("main", 17, &[("!malloc", 5)]), ("!malloc", 5, &[])]);
        assert!(cost(&text.replace("+1 5\n", &format!("+1 {NEGATIVE}\n"))).is_err());
    }

    #[test]
    fn lines_that_do_not_add_up_to_the_total_are_an_error() {
        let text = profile(&[("main", 17, &[])]).replace("10 17", "10 16");
        assert!(cost(&text).is_err());
    }

    #[test]
    fn what_the_allocator_calls_is_part_of_it() {
        let functions: &[Declared] = &[
            ("main", 100, &[("!malloc", 50)]),
            ("!malloc", 20, &[("!_int_malloc", 30)]),
            ("!_int_malloc", 10, &[("!malloc_consolidate", 20)]),
            ("!malloc_consolidate", 20, &[]),
        ];
        let cost = cost(&profile(functions)).expect("a profile");
        let expected = Cost {
            instructions: 100,
            allocator: 50,
        };
        assert_eq!(cost, Some(expected));
    }

    #[test]
    fn the_allocator_of_debian_12_is_found_with_and_without_debug_information() {
        // What malloc, free, posix_memalign, _mid_memalign, _int_malloc and _int_free cost by themselves, added up.
        let expected = Cost {
            instructions: 7752 - 6378,
            allocator: 6378,
        };
        assert_eq!(cost(WITH_NAMES).expect("a profile"), Some(expected));
        assert_eq!(cost(WITHOUT_NAMES).expect("a profile"), Some(expected));
    }

    #[test]
    fn a_call_from_within_the_allocator_is_not_counted_twice() {
        let functions: &[Declared] = &[
            ("main", 100, &[("!posix_memalign", 60), ("!malloc", 40)]),
            ("!posix_memalign", 5, &[("!_mid_memalign", 55)]),
            ("!_mid_memalign", 15, &[("!malloc", 40)]),
            ("!malloc", 80, &[]),
        ];
        assert_eq!(allocator(functions), 100);
    }

    #[test]
    fn functions_of_the_allocator_may_call_each_other() {
        let functions: &[Declared] = &[
            ("main", 100, &[("!free", 70)]),
            ("!free", 10, &[("!_int_free", 60)]),
            ("!_int_free", 20, &[("!systrim", 40)]),
            ("!systrim", 10, &[("!_int_free", 20), ("!malloc", 10)]),
            ("!malloc", 10, &[]),
        ];
        assert_eq!(allocator(functions), 70);
    }

    #[test]
    fn what_others_call_as_well_counts_only_where_the_allocator_calls_it() {
        let functions: &[Declared] = &[
            ("main", 100, &[("!realloc", 50), ("!memcpy", 1000)]),
            ("!realloc", 20, &[("!memcpy", 30)]),
            ("!memcpy", 1030, &[]),
        ];
        assert_eq!(allocator(functions), 50);
    }

    #[test]
    fn a_recursive_caller_does_not_change_what_its_calls_cost() {
        let functions: &[Declared] = &[
            ("main", 100, &[("walk", 90)]),
            ("walk", 30, &[("walk", 60), ("!malloc", 60)]),
            ("!malloc", 60, &[]),
        ];
        assert_eq!(allocator(functions), 60);
    }

    #[test]
    fn a_function_belongs_to_the_object_that_it_is_called_in() {
        let functions: &[Declared] = &[
            ("main", 100, &[("!qsort", 30)]),
            ("!qsort", 10, &[("free", 20)]),
            ("free", 20, &[]),
        ];
        assert_eq!(allocator(functions), 0);
    }

    #[test]
    fn what_cannot_be_attributed_is_an_error() {
        let functions: &[Declared] = &[
            ("main", 100, &[("!free", 30), ("!hook", 20)]),
            ("!free", 10, &[("!hook", 20)]),
            ("!hook", 20, &[("!malloc", 20)]),
            ("!malloc", 20, &[]),
        ];
        assert!(cost(&profile(functions)).is_err());
    }

    #[test]
    fn a_function_of_the_same_name_in_a_program_is_none_of_the_allocators() {
        assert!(!is_entry("/usr/sbin/nginx", "malloc"));
        assert!(!is_entry("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "malloc"));
        assert!(!is_entry("/usr/lib/x86_64-linux-gnu/libcrypto.so.3", "free"));
    }

    #[test]
    fn the_allocators_functions_are_known_by_each_of_their_names() {
        for name in [
            "malloc",
            "__libc_malloc",
            "__GI___libc_malloc",
            "free@@GLIBC_2.2.5",
            "__libc_memalign",
            "__posix_memalign",
            "__libc_calloc",
        ] {
            assert!(is_entry(LIBC, name), "{name}");
            assert!(is_entry("/lib/x86_64-linux-gnu/libc-2.31.so", name), "{name}");
        }
        for name in ["_int_malloc", "malloc_usable_size", "freeaddrinfo", "__libc_start_main"] {
            assert!(!is_entry(LIBC, name), "{name}");
        }
    }
}
