//! Redis.

use std::fs;

use crate::engine::Redis;
use crate::process::directory;
use crate::running_sync::{error_of_once, Sync};
use crate::{lines, origin};

#[test]
fn the_file_follows_the_members_of_the_set() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &["--every", "3600"]);
    sync.wait_for(&lines(&["a"]));
    redis.run(&["sadd", "list", &origin("b")]);
    sync.wait_for(&lines(&["a", "b"]));
    redis.run(&["srem", "list", &origin("a")]);
    sync.wait_for(&lines(&["b"]));
    redis.run(&["sadd", "next", &origin("c")]);
    redis.run(&["rename", "next", "list"]);
    sync.wait_for(&lines(&["c"]));
}

#[test]
fn a_set_that_expires_or_is_flushed_is_noticed_and_taken_for_an_accident() {
    let redis = Redis::start();
    for end in [&["pexpire", "list", "10"][..], &["flushall"]] {
        redis.run(&["sadd", "list", &origin("a")]);
        let sync = Sync::start(&redis.source("", "list"), &["--every", "3600"]);
        sync.wait_for(&lines(&["a"]));
        redis.run(end);
        sync.wait_for_obstacle("empty");
        assert_eq!(sync.content(), Some(lines(&["a"])));
    }
}

#[test]
fn a_redis_that_was_killed_is_followed_when_it_is_back() {
    let mut redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &["--every", "3600"]);
    sync.wait_for(&lines(&["a"]));
    redis.kill();
    sync.wait_for_obstacle("source");
    assert_eq!(sync.content(), Some(lines(&["a"])));
    redis.start_again();
    sync.wait_until_up_to_date();
    redis.run(&["sadd", "list", &origin("b")]);
    sync.wait_for(&lines(&["a", "b"]));
}

#[test]
fn a_server_that_lets_nobody_track_is_read_from_time_to_time() {
    let redis = Redis::start_with(
        "--user reader on >reader's ~* +@read +@connection -client|tracking",
        None,
    );
    redis.run(&["sadd", "list", &origin("a")]);
    let directory = directory();
    let password = directory.path().join("password");
    fs::write(&password, "reader's").unwrap();
    let arguments = ["--every", "1", "--password-file", password.to_str().unwrap()];
    let sync = Sync::start(&redis.source("reader@", "list"), &arguments);
    sync.wait_for(&lines(&["a"]));
    assert!(sync.log().contains("does not tell of changes"), "{}", sync.log());
    redis.run(&["sadd", "list", &origin("b")]);
    sync.wait_for(&lines(&["a", "b"]));
}

#[test]
fn what_is_no_set_is_told() {
    let redis = Redis::start();
    redis.run(&["set", "list", "text"]);
    let sync = Sync::start(&redis.source("", "list"), &[]);
    let health = sync.wait_for_obstacle("source");
    let reason = health["reason"].as_str().unwrap();
    assert!(
        reason.contains("the set \"list\" cannot be read") && reason.contains("WRONGTYPE"),
        "{reason}"
    );
}

#[test]
fn tls_a_certificate_of_the_client_and_a_password() {
    let redis = Redis::start_with_tls();
    redis.run(&["sadd", "list", &origin("a")]);
    let directory = directory();
    let password = directory.path().join("password");
    fs::write(&password, "reader's\n").unwrap();
    let source = redis.source("reader@", "list");
    let tls = redis.certificates().arguments();
    let tls: Vec<_> = tls.iter().map(|argument| &**argument).collect();
    let sync = Sync::start(
        &source,
        &[&tls[..], &["--password-file", password.to_str().unwrap()]].concat(),
    );
    sync.wait_for(&lines(&["a"]));
    redis.run(&["sadd", "list", &origin("b")]);
    sync.wait_for(&lines(&["a", "b"]));

    let file = directory.path().join("list.txt");
    let told = |arguments: &[&str], password: &str| error_of_once(&source, &file, arguments, password);
    let error = told(&tls, "another");
    assert!(error.contains("the user or the password is wrong"), "{error}");
    let error = told(&tls[2..], "reader's");
    assert!(error.contains("name its authority: --ca FILE"), "{error}");
    let error = told(&tls[..2], "reader's");
    assert!(error.contains("--cert FILE --cert-key FILE"), "{error}");
}
