//! Many machines that follow one source.

use std::thread;
use std::time::{Duration, Instant};

use cors_lists::{Check, Format};
use harness::{Nginx, Request};

use crate::engine::{Etcd, Postgres, Redis};
use crate::running_sync::Sync;
use crate::wait::until;
use crate::{lines, origin};

/// A change has to hold on every machine within this time.
const EVERYWHERE: Duration = Duration::from_secs(2);

/// So long all of etcd is away: longer than any pause between two attempts to reach it.
const OUTAGE: Duration = Duration::from_secs(60);

/// Waits until all files hold this, and returns how long that took.
fn wait_for_all(fleet: &[Sync], content: &str) -> Duration {
    let start = Instant::now();
    for sync in fleet {
        sync.wait_for(content);
    }
    start.elapsed()
}

fn digest_of(content: &str) -> String {
    let mut check = Check::new(Format::Origins);
    check.feed(content.as_bytes());
    check.finish().expect("a valid list").digest().to_string()
}

/// Fails unless all of them soon show the digest of this content.
fn assert_digest(fleet: &[&Sync], content: &str) {
    let digest = digest_of(content);
    until("all have the digest, and are up to date", || {
        let health = fleet.iter().map(|sync| sync.health().1);
        health
            .into_iter()
            .all(|health| health["digest"] == *digest && health["status"] == "up_to_date")
    });
}

/// A server: nginx, and beside it what keeps its list equal to the source.
struct Machine {
    sync: Sync,
    nginx: Nginx,
}

impl Machine {
    /// nginx starts when there is a list.
    fn start(source: &str) -> Self {
        let sync = Sync::start(source, &[]);
        sync.wait_until_up_to_date();
        let nginx = start_nginx(&sync);
        Self { sync, nginx }
    }

    fn allows(&self, name: &str) -> bool {
        let origin = origin(name);
        let response = self.nginx.send(&Request::get("/hello.txt").origin(&origin));
        response.all("Access-Control-Allow-Origin") == [&*origin]
    }

    /// The digest of the list by which nginx goes.
    fn digest(&self) -> String {
        let response = self.nginx.send(&Request::get("/status"));
        let status: serde_json::Value = serde_json::from_str(response.text()).expect("JSON");
        status["lists"][0]["digest"].as_str().unwrap_or_default().to_owned()
    }
}

fn start_nginx(sync: &Sync) -> Nginx {
    Nginx::builder()
        .http(&format!(
            "cors_zone cors:1m; cors_origin_list origins {} check=500ms;",
            sync.file().display()
        ))
        .server("location / { cors on; cors_allow_origin @origins; } location = /status { cors_status json; }")
        .start()
}

/// Waits until every nginx allows an origin, and returns how long that took.
fn wait_until_allowed(fleet: &[Machine], name: &str) -> Duration {
    let start = Instant::now();
    for machine in fleet {
        until("every nginx allows the origin", || machine.allows(name));
    }
    start.elapsed()
}

#[test]
fn etcd_loses_its_leader_and_then_all_of_its_members_and_a_compaction() {
    let mut etcd = Etcd::start(3);
    etcd.put("/cors/1", &origin("a"));
    let source = etcd.source("", "/cors/");
    let mut fleet: Vec<_> = (0..5).map(|_| Machine::start(&source)).collect();
    wait_until_allowed(&fleet, "a");

    etcd.put("/cors/2", &origin("b"));
    let everywhere = wait_until_allowed(&fleet, "b");
    println!("a put to etcd holds in every nginx after {everywhere:?}");
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");

    let leader = etcd.leader();
    etcd.kill_member(leader);
    let killed = Instant::now();
    etcd.wait_until_it_answers();
    etcd.put("/cors/3", &origin("c"));
    let answered = killed.elapsed();
    wait_until_allowed(&fleet, "c");
    println!(
        "the leader was killed: a put was taken after {answered:?}, and held in every nginx after {:?}",
        killed.elapsed()
    );
    etcd.start_member(leader);
    etcd.wait_until_it_answers();

    etcd.kill();
    let away = Instant::now();
    for machine in &fleet {
        machine.sync.wait_for_obstacle("source");
        assert!(["a", "b", "c"].iter().all(|name| machine.allows(name)));
    }
    // Two see nothing of what follows: one is stopped, and one is started anew, with its nginx.
    fleet[0].sync.process().stop();
    fleet[1].sync.process().kill();
    fleet[1].nginx = start_nginx(&fleet[1].sync);
    assert!(fleet[1].allows("c"));
    thread::sleep(OUTAGE.saturating_sub(away.elapsed()));
    for machine in &fleet {
        assert!(["a", "b", "c"].iter().all(|name| machine.allows(name)));
    }
    etcd.start_again();
    etcd.delete("/cors/1");
    etcd.put("/cors/4", &origin("d"));
    etcd.compact();
    let back = Instant::now();
    fleet[0].sync.process().go_on();
    fleet[1].sync.start_again();
    wait_until_allowed(&fleet, "d");
    println!(
        "after the outage the last change holds in every nginx after {:?}",
        back.elapsed()
    );

    let names = ["b", "c", "d"];
    let digest = digest_of(&lines(&names));
    for machine in &fleet {
        assert!(names.iter().all(|name| machine.allows(name)) && !machine.allows("a"));
        assert_eq!(machine.digest(), digest);
    }
    let syncs: Vec<_> = fleet.iter().map(|machine| &machine.sync).collect();
    assert_digest(&syncs, &lines(&names));

    etcd.put("/cors/5", &origin("e"));
    let everywhere = wait_until_allowed(&fleet, "e");
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");
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
    assert_digest(&fleet.iter().collect::<Vec<_>>(), &lines(&["b", "c"]));
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
    assert_digest(&fleet.iter().collect::<Vec<_>>(), &lines(&["c"]));
}
