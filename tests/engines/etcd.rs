//! etcd.

use std::fs;

use crate::engine::Etcd;
use crate::process::directory;
use crate::running_sync::{error_of_once, Sync};
use crate::wait::until;
use crate::{lines, origin};

#[test]
fn the_file_follows_the_values_below_the_prefix() {
    let etcd = Etcd::start(1);
    etcd.put("/cors/1", &origin("a"));
    etcd.put("/cors2/1", &origin("other"));
    etcd.put("/cor", &origin("other"));
    let sync = Sync::start(&etcd.source("", "/cors/"), &[]);
    sync.wait_for(&lines(&["a"]));
    etcd.put("/cors/2", &origin("b"));
    sync.wait_for(&lines(&["a", "b"]));
    etcd.put("/cors/1", &origin("c"));
    sync.wait_for(&lines(&["b", "c"]));
    etcd.delete("/cors/2");
    sync.wait_for(&lines(&["c"]));
}

#[test]
fn with_keys_a_value_begins_with_one() {
    let etcd = Etcd::start(1);
    etcd.put("/cors/acme", "api.acme.example https://a.example https://b.example");
    let sync = Sync::start(&etcd.source("", "/cors/"), &["--key"]);
    sync.wait_for("api.acme.example https://a.example https://b.example\n");
}

#[test]
fn a_wrong_value_is_told_by_its_key() {
    let etcd = Etcd::start(1);
    etcd.put("/cors/1", "https://a.example/");
    let sync = Sync::start(&etcd.source("", "/cors/"), &[]);
    let health = sync.wait_for_obstacle("content");
    let reason = health["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("the value of \"/cors/1\": \"https://a.example/\": "),
        "{reason}"
    );
}

#[test]
fn more_values_than_etcd_gives_at_a_time_are_read() {
    let etcd = Etcd::start(1);
    let names: Vec<_> = (0..2500).map(|number| format!("n{number:04}")).collect();
    let pairs: Vec<_> = names
        .iter()
        .map(|name| (format!("/cors/{name}"), origin(name)))
        .collect();
    etcd.put_all(&pairs);
    let sync = Sync::start(&etcd.source("", "/cors/"), &[]);
    let names: Vec<_> = names.iter().map(|name| &**name).collect();
    sync.wait_for(&lines(&names));
}

#[test]
fn an_etcd_that_was_killed_is_followed_when_it_is_back() {
    let mut etcd = Etcd::start(1);
    etcd.put("/cors/1", &origin("a"));
    let sync = Sync::start(&etcd.source("", "/cors/"), &[]);
    sync.wait_for(&lines(&["a"]));
    etcd.kill();
    let health = sync.wait_for_obstacle("source");
    assert_eq!((&health["status"], sync.health().0), (&"behind".into(), 200));
    assert_eq!(sync.content(), Some(lines(&["a"])));
    etcd.start_again();
    sync.wait_until_up_to_date();
    etcd.put("/cors/2", &origin("b"));
    sync.wait_for(&lines(&["a", "b"]));
    assert!(sync.log().contains("the source answers again"), "{}", sync.log());
}

#[test]
fn what_was_compacted_while_the_source_was_away_is_read_anew() {
    let mut etcd = Etcd::start(1);
    etcd.put("/cors/1", &origin("a"));
    etcd.put("/cors/2", &origin("b"));
    let mut sync = Sync::start(&etcd.source("", "/cors/"), &[]);
    sync.wait_for(&lines(&["a", "b"]));
    // It sees nothing of what follows.
    sync.process().stop();
    etcd.kill();
    etcd.start_again();
    etcd.delete("/cors/1");
    etcd.put("/cors/3", &origin("c"));
    etcd.compact();
    sync.process().go_on();
    sync.wait_for(&lines(&["b", "c"]));
}

#[test]
fn a_watch_that_lags_behind_a_compaction_is_begun_anew() {
    let etcd = Etcd::start(1);
    etcd.put("/cors/1", &origin("a"));
    let mut sync = Sync::start(&etcd.source("", "/cors/"), &[]);
    sync.wait_for(&lines(&["a"]));
    sync.process().stop();
    // More than the sockets between the two take, so that etcd has to keep it for the watch.
    let comment = format!("# {}", "x".repeat(100_000));
    for number in 0..150 {
        etcd.put(&format!("/cors/big-{}", number % 3), &format!("{comment}{number}"));
    }
    etcd.delete("/cors/1");
    etcd.put("/cors/2", &origin("b"));
    etcd.compact();
    sync.process().go_on();
    until("the file has the last value", || {
        sync.content()
            .is_some_and(|content| content.contains(&origin("b")) && !content.contains(&origin("a")))
    });
    // The connection was good all the time.
    assert!(!sync.log().contains("tried again"), "{}", sync.log());
}

#[test]
fn tls_a_certificate_of_the_client_and_a_password() {
    let mut etcd = Etcd::start_with_tls();
    etcd.put("/cors/1", &origin("a"));
    etcd.require_passwords("/cors/");
    let passwords = directory();
    let (right, wrong) = (passwords.path().join("right"), passwords.path().join("wrong"));
    fs::write(&right, "reader's\n").unwrap();
    fs::write(&wrong, "another\n").unwrap();
    let source = etcd.source("reader@", "/cors/");
    let tls = etcd.certificates().arguments();
    let tls: Vec<_> = tls.iter().map(|argument| &**argument).collect();

    let arguments = [&tls[..], &["--password-file", right.to_str().unwrap()]].concat();
    let sync = Sync::start(&source, &arguments);
    sync.wait_for(&lines(&["a"]));
    etcd.put("/cors/2", &origin("b"));
    sync.wait_for(&lines(&["a", "b"]));

    let file = passwords.path().join("list.txt");
    let told = |arguments: &[&str], password: &str| error_of_once(&source, &file, arguments, password);
    let error = told(&[&tls[..], &["--password-file", wrong.to_str().unwrap()]].concat(), "");
    assert!(error.contains("the user or the password is wrong"), "{error}");
    let error = told(&tls[2..], "reader's");
    assert!(error.contains("name its authority: --ca FILE"), "{error}");
    let error = told(&tls, "");
    assert!(
        error.contains("there is no password for the user \"reader\""),
        "{error}"
    );
    assert!(!file.exists());
}
