//! Many machines that follow one source.

use std::time::{Duration, Instant};

use crate::engine::Etcd;
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

fn assert_same_digest(fleet: &[Sync]) {
    for sync in fleet {
        sync.wait_until_up_to_date();
    }
    let digests: Vec<_> = fleet.iter().map(Sync::digest).collect();
    assert!(digests.windows(2).all(|pair| pair[0] == pair[1]), "{digests:?}");
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
    wait_for_all(&fleet, &lines(&["a", "b", "c"]));
    println!(
        "a put after the leader was killed holds everywhere {:?} after that",
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
    wait_for_all(&fleet, &lines(&["b", "c", "d"]));
    println!(
        "after the outage the last change holds everywhere after {:?}",
        back.elapsed()
    );
    assert_same_digest(&fleet);

    etcd.put("/cors/5", &origin("e"));
    let everywhere = wait_for_all(&fleet, &lines(&["b", "c", "d", "e"]));
    assert!(everywhere < EVERYWHERE, "{everywhere:?}");
    assert_same_digest(&fleet);
    until("no one is behind", || {
        fleet.iter().all(|sync| sync.metric("up_to_date") == 1.0)
    });
}
