use super::*;
use crate::{BuildError, Check, Format};

const NOW: u64 = 1_800_000_000;
const SECRET: [u64; SECRET_WORDS] = [1, 2, 3, 4];
const PROCESS: u32 = 7;
const NONE: ListRisks = ListRisks::NONE;

fn memory(kilobytes: usize) -> Vec<AtomicU64> {
    // What was there before must not matter.
    (0..kilobytes * 128)
        .map(|_| AtomicU64::new(0xa5a5_a5a5_a5a5_a5a5))
        .collect()
}

fn lease<'m>(zone: &Zone<'m>) -> Lease<'m> {
    zone.take_lease(PROCESS, 0, 10, |_| true).expect("free")
}

fn check(format: Format, file: &str) -> Checked {
    let mut check = Check::new(format);
    check.feed(file.as_bytes());
    check.finish().unwrap()
}

fn prepare(lease: &Lease<'_>, format: Format, file: &str) -> Prepared {
    let mut build = lease.build(check(format, file)).unwrap();
    build.feed(file.as_bytes()).unwrap();
    build.finish(NOW).unwrap()
}

fn serve(lease: &Lease<'_>, file: &str) {
    let prepared = prepare(lease, Format::Origins, file);
    assert!(lease.zone.publish(prepared));
}

fn admits(zone: &Zone<'_>, origin: &str) -> bool {
    zone.admits(None, origin.as_bytes(), NONE)
}

#[test]
fn a_list_admits_its_origins_and_what_its_patterns_cover() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    serve(
        &lease(&zone),
        "https://a.example https://*.b.example\nhttp://localhost:*\nHTTPS://C.example:443 # as browsers send it\n\
         https://a-very-long-name-of-a-host-that-is-kept-as-a-hash.example https://*.another-quite-long-name.example\n",
    );
    for origin in [
        "https://a.example",
        "https://c.example",
        "https://x.b.example",
        "http://localhost",
        "http://localhost:3000",
        "https://a-very-long-name-of-a-host-that-is-kept-as-a-hash.example",
        "https://x.y.another-quite-long-name.example",
    ] {
        assert!(admits(&zone, origin), "{origin}");
    }
    for origin in [
        "",
        "null",
        "a.example",
        "http://a.example",
        "https://a.example:8443",
        "https://b.example",
        "https://*.b.example",
        "https://localhost",
        "http://localhost:*",
        "https://a-very-long-name-of-a-host-that-is-kept-as-a-hash.example.evil.net",
        "https://https://a.example",
    ] {
        assert!(!admits(&zone, origin), "{origin}");
    }
}

#[test]
fn a_list_with_keys_admits_the_origins_of_the_key() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let prepared = prepare(
        &lease(&zone),
        Format::KeyAndOrigins,
        "one.example https://a.example https://*.b.example\ntwo.example https://c.example\none.example app://d\nnobody\n",
    );
    assert!(zone.publish(prepared));
    let admits = |key: &str, origin: &str| zone.admits(Some(key.as_bytes()), origin.as_bytes(), NONE);
    for (key, origin) in [
        ("one.example", "https://a.example"),
        ("one.example", "https://x.b.example"),
        ("one.example", "app://d"),
        ("two.example", "https://c.example"),
    ] {
        assert!(admits(key, origin), "{key} {origin}");
    }
    for (key, origin) in [
        ("two.example", "https://a.example"),
        ("two.example", "https://x.b.example"),
        ("one.example", "https://c.example"),
        ("", "https://a.example"),
        ("", "one.example https://a.example"),
        ("one", "https://a.example"),
        ("one.example ", "https://a.example"),
        ("nobody", ""),
        (&"k".repeat(5000), "https://a.example"),
    ] {
        assert!(!admits(key, origin), "{key} {origin}");
    }
    assert!(!admits("one.example", &"o".repeat(5000)));
}

#[test]
fn entries_with_risks_that_a_policy_does_not_take_admit_nobody() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    serve(
        &lease(&zone),
        "http://a.example https://*.co.uk https://*.b.co.uk\nhttps://a.example\n",
    );
    let admits = |origin: &str, ignored| zone.admits(None, origin.as_bytes(), ignored);
    assert!(admits("http://a.example", NONE) && admits("https://a.co.uk", NONE));
    assert!(!admits("http://a.example", ListRisks::INSECURE));
    assert!(admits(
        "https://a.example",
        ListRisks::INSECURE | ListRisks::SHARED_NAME
    ));
    assert!(!admits("https://a.co.uk", ListRisks::SHARED_NAME));
    // Another entry admits it, too.
    assert!(admits("https://a.b.co.uk", ListRisks::SHARED_NAME));
    let risky: Vec<_> = zone.status().served.unwrap().risky.iter(ListRisks::INSECURE).collect();
    assert_eq!(risky, [(ListRisks::INSECURE, 1, 1)]);
}

#[test]
fn a_list_is_served_whole_until_the_next_is_published() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    assert!(!admits(&zone, "https://a.example"));
    assert_eq!(zone.status().served, None);
    serve(&lease, "https://a.example");
    let prepared = prepare(&lease, Format::Origins, "https://b.example https://c.example");
    assert!(admits(&zone, "https://a.example") && !admits(&zone, "https://b.example"));
    assert!(zone.publish(prepared));
    assert!(!admits(&zone, "https://a.example") && admits(&zone, "https://b.example"));
    let served = zone.status().served.unwrap();
    assert_eq!((served.entries, served.generation, served.read_at), (2, 2, NOW));
    assert_eq!(
        served.digest,
        check(Format::Origins, "https://b.example https://c.example").digest()
    );
    serve(&lease, "# nobody");
    assert!(!admits(&zone, "https://b.example"));
    assert_eq!(zone.status().served.unwrap().entries, 0);
}

#[test]
fn a_prepared_list_is_published_once_whoever_does_it_and_not_after_another_build() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    let prepared = prepare(&lease, Format::Origins, "https://a.example");
    let again = Zone::attach(&memory).unwrap();
    assert!(zone.publish(prepared) && again.publish(prepared));
    assert_eq!(zone.status().served.unwrap().generation, 1);

    let late = prepare(&lease, Format::Origins, "https://b.example");
    serve(&lease, "https://c.example");
    assert!(!zone.publish(late) && !zone.publish(prepared));
    assert!(admits(&zone, "https://c.example"));
}

#[test]
fn a_build_that_was_killed_leaves_the_old_list_and_the_next_one_replaces_it() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    serve(&lease, "https://a.example");
    let file = "https://b.example https://c.example\n";
    for end in 0..=file.len() {
        let mut killed = lease.build(check(Format::Origins, file)).unwrap();
        killed.feed(&file.as_bytes()[..end]).unwrap();
        drop(killed);
        assert!(admits(&zone, "https://a.example") && !admits(&zone, "https://b.example"));
    }
    serve(&lease, file);
    assert!(!admits(&zone, "https://a.example") && admits(&zone, "https://b.example"));
}

#[test]
fn a_build_that_was_overtaken_admits_nobody_whatever_it_goes_on_to_write() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    let strangers: String = (0..500).map(|n| format!("https://stranger-{n}.example\n")).collect();
    let listed: String = (0..500).map(|n| format!("https://listed-{n}.example\n")).collect();
    let mut slow = lease.build(check(Format::Origins, &strangers)).unwrap();
    slow.feed(&strangers.as_bytes()[..100]).unwrap();
    serve(&lease, &listed);
    // It was stopped after it had looked whether it may go on, which this stamp has it believe.
    let stamp = std::mem::replace(&mut slow.stamp, 0);
    let written = || {
        memory
            .iter()
            .map(|word| word.load(Ordering::Relaxed))
            .collect::<Vec<_>>()
    };
    let before = written();
    // It may find the table full that it takes for its own.
    let _ = slow.feed(&strangers.as_bytes()[100..]);
    assert!(
        written()
            .iter()
            .zip(before)
            .filter(|(after, before)| **after != *before)
            .count()
            > 100
    );
    slow.stamp = stamp;
    assert_eq!(slow.finish(NOW), Err(BuildError::Overtaken));
    for number in 0..500 {
        assert!(
            !admits(&zone, &format!("https://stranger-{number}.example")),
            "{number}"
        );
    }
}

#[test]
fn a_file_that_changed_between_the_two_times_it_is_read_is_not_served() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    let checked = check(Format::Origins, "https://a.example\n");
    for other in [
        "",
        "https://b.example\n",
        "https://a.example \n",
        "https://a.example\nhttps://b.example\n",
        "wrong",
        "https://a.exampl",
    ] {
        let mut build = lease.build(checked.clone()).unwrap();
        let read = build.feed(other.as_bytes());
        assert_eq!(
            read.and_then(|()| build.finish(NOW)),
            Err(BuildError::Changed),
            "{other}"
        );
    }
    assert_eq!(zone.status().served, None);
}

#[test]
fn a_list_that_does_not_fit_is_refused_with_the_size_that_would_do() {
    let memory = memory(8);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    serve(&lease, "https://a.example");
    let file: String = (0..1000).map(|n| format!("https://tenant-{n}.example\n")).collect();
    let needed = lease.build(check(Format::Origins, &file)).err().unwrap().needed;
    assert!(admits(&zone, "https://a.example"));

    let words = |bytes: usize| -> Vec<_> { (0..bytes / 8).map(|_| AtomicU64::new(0)).collect() };
    let enough = words(needed);
    let zone = Zone::format(&enough, SECRET).unwrap();
    let lease = super::tests::lease(&zone);
    serve(&lease, &file);
    assert!((0..1000).all(|n| admits(&zone, &format!("https://tenant-{n}.example"))));
    assert!(needed <= 80 * 1000 + 2048, "{needed}");
    let less = words(needed - 16);
    let zone = Zone::format(&less, SECRET).unwrap();
    let too_large = super::tests::lease(&zone).build(check(Format::Origins, &file)).err();
    assert_eq!(too_large, Some(TooLarge { needed }));
}

#[test]
fn duplicates_count_once() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    serve(
        &lease(&zone),
        "https://a.example https://A.example:443\nhttps://a.example https://*.a.example",
    );
    assert_eq!(zone.status().served.unwrap().entries, 2);
}

#[test]
fn a_file_that_is_still_what_is_served_is_not_built_again() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    let (one, other) = ("https://a.example", "https://b.example");
    assert!(!lease.is_unchanged(check(Format::Origins, one).digest(), NOW));
    serve(&lease, one);
    assert!(!lease.is_unchanged(check(Format::Origins, other).digest(), NOW + 1));
    assert!(lease.is_unchanged(check(Format::Origins, one).digest(), NOW + 2));
    assert_eq!(zone.status().served.unwrap().read_at, NOW + 2);
}

#[test]
fn a_failure_is_new_once_for_each_version_and_forgotten_after_a_success() {
    let memory = memory(64);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let lease = lease(&zone);
    assert_eq!(zone.last_read(), None);
    let failure = |text: &str, at| Failure {
        at,
        text: text.to_owned(),
    };
    let long = "x".repeat(5000);
    assert!(lease.note(Sighting::Gone, Some(&failure("one", NOW))));
    assert!(!lease.note(Sighting::Gone, Some(&failure("one", NOW + 1))));
    assert_eq!(zone.status().failure, Some(failure("one", NOW + 1)));
    assert!(lease.note(Sighting::Gone, Some(&failure(&long, NOW))));
    assert!(!lease.note(Sighting::Gone, Some(&failure(&long, NOW))));
    assert_eq!(zone.last_read(), Some(Sighting::Gone));
    let file = Sighting::File(crate::Version {
        device: 1,
        inode: 2,
        size: 3,
        seconds: 4,
        nanoseconds: 5,
    });
    assert!(lease.note(file, Some(&failure(&long, NOW))));
    assert!(!lease.note(file, Some(&failure(&long, NOW))));
    lease.note(Sighting::Gone, None);
    assert_eq!(zone.status().failure, None);
}

#[test]
fn only_memory_that_was_set_up_has_a_zone() {
    let memory = memory(8);
    assert!(Zone::attach(&memory).is_none());
    let zone = Zone::format(&memory, SECRET).unwrap();
    serve(&lease(&zone), "https://a.example");
    assert!(admits(&Zone::attach(&memory).unwrap(), "https://a.example"));
    assert!(Zone::attach(&memory[..memory.len() - 1]).is_none());
    assert!(Zone::format(&memory[..50], SECRET).is_none());
}

#[test]
fn the_lease_is_held_by_one_process() {
    let memory = memory(8);
    let zone = Zone::format(&memory, SECRET).unwrap();
    let mut lease = lease(&zone);
    assert!(zone.take_lease(8, 5, 10, |_| true).is_none());
    assert_eq!(lease.renew(5), Ok(()));
    let other = zone.take_lease(8, 5, 10, |process| process != PROCESS).unwrap();
    assert_eq!(lease.renew(6), Err(LeaseLost));
    lease.release();
    assert!(zone.take_lease(9, 6, 10, |_| true).is_none());
    other.release();
    assert!(zone.take_lease(9, 6, 10, |_| true).is_some());
}

/// A thread may build while the process goes on with its requests.
#[test]
fn what_reads_a_file_can_be_sent_to_a_thread() {
    fn is_send<T: Send>() {}
    is_send::<Check>();
    is_send::<Build<'_>>();
    is_send::<Lease<'_>>();
}
