//! Many machines that follow one source.

use std::time::{Duration, Instant};

use cors_lists::{Check, Format};

use crate::engine::{Etcd, Postgres, Redis};
use crate::running_sync::Sync;
use crate::wait::until;
use crate::{lines, origin};

/// A change has to hold on every machine within this time.
const EVERYWHERE: Duration = Duration::from_secs(2);

/// Waits until all files hold this, and returns how long that took.
fn wait_for_all(fleet: &[Sync], content: &str) -> Duration {
    let start = Instant::now();
    for sync in fleet {
        sync.wait_for(content);
    }
    start.elapsed()
}

/// Fails unless all of them soon show the digest of this content.
fn assert_digest(fleet: &[Sync], content: &str) {
    let mut check = Check::new(Format::Origins);
    check.feed(content.as_bytes());
    let digest = check.finish().expect("a valid list").digest().to_string();
    until("all have the digest, and are up to date", || {
        let health = fleet.iter().map(|sync| sync.health().1);
        health
            .into_iter()
            .all(|health| health["digest"] == *digest && health["status"] == "up_to_date")
    });
}

#[test]
fn etcd_loses_its_leader_and_then_all_of_its_members_and_a_compaction() {
    let mut etcd = Etcd::start(3);
    etcd.put("/cors/1", &origin("a"));
    let source = etcd.source("", "/cors/");
    let mut fleet: Vec<_> = (0..5).map(|_| Sync::start(&source, &[])).collect();
    wait_for_all(&fleet, &lines(&["a"]));

    etcd.put("/cors/2", &origin("b"));
    let everywhere = wait_for_all(&fleet, &lines(&["a", "b"]));
    println!("a put holds everywhere after {everywhere:?}");
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");

    let leader = etcd.leader();
    etcd.kill_member(leader);
    let killed = Instant::now();
    etcd.wait_until_it_answers();
    etcd.put("/cors/3", &origin("c"));
    let answered = killed.elapsed();
    wait_for_all(&fleet, &lines(&["a", "b", "c"]));
    println!(
        "the leader was killed: a put was taken after {answered:?}, and held everywhere after {:?}",
        killed.elapsed()
    );
    etcd.start_member(leader);
    etcd.wait_until_it_answers();

    etcd.kill();
    for sync in &fleet {
        sync.wait_for_obstacle("source");
        assert_eq!(sync.content(), Some(lines(&["a", "b", "c"])));
    }
    // Two see nothing of what follows: one is stopped, and one is started anew.
    fleet[0].process().stop();
    fleet[1].process().kill();
    etcd.start_again();
    etcd.delete("/cors/1");
    etcd.put("/cors/4", &origin("d"));
    etcd.compact();
    let back = Instant::now();
    fleet[0].process().go_on();
    fleet[1].start_again();
    let content = lines(&["b", "c", "d"]);
    wait_for_all(&fleet, &content);
    println!(
        "after the outage the last change holds everywhere after {:?}",
        back.elapsed()
    );
    assert_digest(&fleet, &content);

    etcd.put("/cors/5", &origin("e"));
    let content = lines(&["b", "c", "d", "e"]);
    let everywhere = wait_for_all(&fleet, &content);
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");
    assert_digest(&fleet, &content);
}

#[test]
fn redis_is_lost_and_comes_back_with_other_members() {
    let mut redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let source = redis.source("", "list");
    let mut fleet: Vec<_> = (0..5).map(|_| Sync::start(&source, &["--every", "3600"])).collect();
    wait_for_all(&fleet, &lines(&["a"]));
    redis.run(&["sadd", "list", &origin("b")]);
    let everywhere = wait_for_all(&fleet, &lines(&["a", "b"]));
    println!("a member of a set in Redis holds everywhere after {everywhere:?}");
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");

    redis.kill();
    for sync in &fleet {
        sync.wait_for_obstacle("source");
    }
    fleet[0].process().stop();
    fleet[1].process().kill();
    redis.start_again();
    redis.run(&["srem", "list", &origin("a")]);
    redis.run(&["sadd", "list", &origin("c")]);
    fleet[0].process().go_on();
    fleet[1].start_again();
    wait_for_all(&fleet, &lines(&["b", "c"]));
    assert_digest(&fleet, &lines(&["b", "c"]));
}

#[test]
fn postgresql_is_lost_and_comes_back_with_other_rows() {
    let mut postgres = Postgres::start();
    postgres.sql("CREATE TABLE origins (origin text)");
    let insert = |postgres: &Postgres, name: &str| {
        postgres.sql(&format!(
            "INSERT INTO origins VALUES ('{}'); NOTIFY origins",
            origin(name)
        ));
    };
    insert(&postgres, "a");
    let source = postgres.source("owner@", "TABLE origins", "&channel=origins");
    let mut fleet: Vec<_> = (0..5).map(|_| Sync::start(&source, &["--every", "3600"])).collect();
    wait_for_all(&fleet, &lines(&["a"]));
    insert(&postgres, "b");
    let everywhere = wait_for_all(&fleet, &lines(&["a", "b"]));
    println!("a row in PostgreSQL holds everywhere after {everywhere:?}");
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");

    postgres.kill();
    for sync in &fleet {
        sync.wait_for_obstacle("source");
    }
    fleet[0].process().stop();
    fleet[1].process().kill();
    postgres.start_again();
    postgres.sql("DELETE FROM origins");
    insert(&postgres, "c");
    fleet[0].process().go_on();
    fleet[1].start_again();
    wait_for_all(&fleet, &lines(&["c"]));
    assert_digest(&fleet, &lines(&["c"]));
}
