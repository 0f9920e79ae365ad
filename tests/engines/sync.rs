//! What holds for every engine, shown with Redis.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use harness::running_as_root;

use crate::engine::Redis;
use crate::process::{directory, Process};
use crate::running_sync::{sync_command, Sync};
use crate::wait::{until, PATIENCE};
use crate::{lines, origin};

#[test]
fn a_wrong_element_leaves_the_last_good_file_and_is_told_with_what_to_write() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for(&lines(&["a"]));

    redis.run(&["sadd", "list", "b.example", &origin("c")]);
    let health = sync.wait_for_obstacle("content");
    let remedy = "\"b.example\": the scheme is missing; write \"https://b.example\"";
    assert_eq!(health["reason"], remedy);
    assert_eq!(health["status"], "behind");
    assert!(
        sync.log().contains(&format!("{remedy}; the file stays as it is")),
        "{}",
        sync.log()
    );
    assert_eq!(sync.content(), Some(lines(&["a"])));
    assert_eq!(sync.metric("up_to_date"), 0.0);

    redis.run(&["srem", "list", "b.example"]);
    sync.wait_for(&lines(&["a", "c"]));
    assert_eq!(sync.wait_until_up_to_date()["reason"], serde_json::Value::Null);
}

#[test]
fn an_empty_source_is_taken_for_an_accident() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for(&lines(&["a"]));
    redis.run(&["del", "list"]);
    let health = sync.wait_for_obstacle("empty");
    assert!(health["reason"].as_str().unwrap().contains("--allow-empty"), "{health}");
    assert_eq!(sync.content(), Some(lines(&["a"])));
    redis.run(&["sadd", "list", &origin("b")]);
    sync.wait_for(&lines(&["b"]));
}

#[test]
fn an_empty_source_makes_an_empty_file_where_that_is_allowed() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &["--allow-empty"]);
    sync.wait_for(&lines(&["a"]));
    redis.run(&["del", "list"]);
    sync.wait_for("");
    until("it says so", || sync.wait_until_up_to_date()["entries"] == 0);
}

#[test]
fn without_a_list_it_is_not_healthy_and_makes_no_file() {
    let redis = Redis::start();
    let sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for_obstacle("empty");
    let (status, health) = sync.health();
    assert_eq!((status, &health["status"]), (503, &"no_list".into()));
    assert_eq!(sync.content(), None);
    redis.run(&["sadd", "list", &origin("a")]);
    sync.wait_for(&lines(&["a"]));
    until("it is healthy", || sync.health().0 == 200);
}

#[test]
fn the_file_that_is_there_serves_while_the_source_has_not_been_reached() {
    let mut redis = Redis::start();
    redis.run(&["sadd", "list", &origin("new")]);
    redis.kill();
    let prepare = |file: &Path| fs::write(file, lines(&["old"])).unwrap();
    let sync = Sync::start_with(&redis.source("", "list"), &[], prepare);
    let health = sync.wait_for_obstacle("source");
    assert_eq!((&health["status"], &health["entries"]), (&"behind".into(), &1.into()));
    assert_eq!(sync.health().0, 200);
    assert_eq!(sync.content(), Some(lines(&["old"])));
    redis.start_again();
    sync.wait_for(&lines(&["new"]));
}

#[test]
fn changes_within_200_ms_are_taken_together() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for(&lines(&["a"]));
    let names: Vec<_> = (0..500).map(|number| format!("n{number:03}")).collect();
    let commands: String = names
        .iter()
        .map(|name| format!("sadd list {}\n", origin(name)))
        .collect();
    let start = Instant::now();
    redis.run_all(&commands);
    let mut all = vec!["a"];
    all.extend(names.iter().map(|name| &**name));
    sync.wait_for(&lines(&all));
    // One for the first file, and one for each time that was begun.
    let periods = start.elapsed().as_millis() / 200 + 1;
    let replacements = sync.metric("replacements_total");
    assert!(
        replacements <= 1.0 + periods as f64,
        "{replacements} in {:?}",
        start.elapsed()
    );
}

#[test]
fn what_holds_the_same_in_another_order_has_the_same_digest() {
    let redis = Redis::start();
    redis.run(&["sadd", "one", &origin("a"), &origin("b"), &origin("c")]);
    redis.run(&["sadd", "other", &origin("c"), &origin("b"), &origin("a"), ""]);
    let syncs = ["one", "other"].map(|set| Sync::start(&redis.source("", set), &[]));
    let [one, other] = syncs.map(|sync| sync.wait_until_up_to_date()["digest"].clone());
    assert!(one.is_string() && one == other, "{one} {other}");
}

#[test]
fn a_file_that_somebody_removes_is_made_again() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for(&lines(&["a"]));
    fs::remove_file(sync.file()).unwrap();
    sync.wait_for(&lines(&["a"]));
}

#[test]
fn a_file_that_is_equal_already_is_left_alone() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let prepare = |file: &Path| fs::write(file, lines(&["a"])).unwrap();
    let sync = Sync::start_with(&redis.source("", "list"), &[], prepare);
    sync.wait_until_up_to_date();
    assert_eq!(sync.metric("replacements_total"), 0.0);
}

#[test]
fn it_ends_by_sigterm_with_0() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let mut sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for(&lines(&["a"]));
    assert_eq!(sync.process().terminate().code(), Some(0));
}

#[test]
fn the_figures_are_such_as_prometheus_reads() {
    use std::io::Write;
    use std::process::Stdio;

    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_until_up_to_date();
    let (_, figures) = sync.ask("/metrics");
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool, which tools/require.sh test installs");
    promtool.stdin.take().unwrap().write_all(figures.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.is_empty(), "{told}{figures}");
    assert_eq!(sync.metric("entries"), 1.0);
}

#[test]
fn once_says_by_its_exit_status_what_became_of_the_file() {
    let mut redis = Redis::start();
    let directory = directory();
    let file = directory.path().join("list.txt");
    let source = redis.source("", "list");
    let once = || sync_command(&source, &file).arg("--once").output().unwrap();

    assert_eq!(once().status.code(), Some(1), "the source is empty");
    redis.run(&["sadd", "list", &origin("a")]);
    assert_eq!(once().status.code(), Some(0));
    assert_eq!(fs::read_to_string(&file).unwrap(), lines(&["a"]));
    redis.run(&["sadd", "list", "*"]);
    assert_eq!(once().status.code(), Some(1), "an element is wrong");
    redis.kill();
    let output = once();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains(&source) && told.contains("Connection refused"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), lines(&["a"]));
}

#[test]
fn nothing_is_shown_of_progress_on_a_pipe() {
    let redis = Redis::start();
    redis.run(&["sadd", "list", &origin("a")]);
    let directory = directory();
    let mut command = sync_command(&redis.source("", "list"), &directory.path().join("list.txt"));
    let output = command.arg("--once").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.starts_with("the file is replaced: 1 entry, digest "), "{told:?}");
    assert_eq!((told.lines().count(), output.stdout.len()), (1, 0));
}

/// Adds the origins of these names by one command.
fn add_at_once(redis: &Redis, set: &str, names: &[String]) {
    let mut command = vec!["sadd".to_owned(), set.to_owned()];
    command.extend(names.iter().map(|name| origin(name)));
    let command: Vec<_> = command.iter().map(|word| &**word).collect();
    redis.run(&command);
}

/// A file system of 64 KiB, in which a process lives that ends with it.
struct SmallDisk {
    sync: Process,
    file: PathBuf,
}

impl SmallDisk {
    /// Nobody else sees the file system, but through the root directory of the process.
    fn start(source: &str, directory: &Path) -> Self {
        let disk = directory.join("disk");
        fs::create_dir(&disk).unwrap();
        let file = disk.join("list.txt");
        let mut command = Command::new("unshare");
        command.arg("--mount");
        if !running_as_root() {
            command.arg("--map-root-user");
        }
        command
            .args([
                "sh",
                "-c",
                "mount -t tmpfs -o size=64k disk \"$1\" && shift && exec \"$@\"",
                "sh",
            ])
            .arg(&disk)
            .arg(harness::tool())
            .args(["sync", source])
            .arg(&file);
        let sync = Process::start(&mut command, &directory.join("log"));
        let file = PathBuf::from(format!("/proc/{}/root{}", sync.id(), file.display()));
        Self { sync, file }
    }

    fn wait_for(&mut self, content: &str) {
        until("the file has its content", || {
            self.sync.assert_running();
            fs::read_to_string(&self.file).is_ok_and(|held| held == content)
        });
    }
}

#[test]
fn on_a_full_disk_the_file_stays_until_there_is_room() {
    let redis = Redis::start();
    let names: Vec<_> = (0..1000).map(|number| format!("n{number:04}")).collect();
    redis.run(&["sadd", "list", &origin(&names[0])]);
    let directory = directory();
    let mut disk = SmallDisk::start(&redis.source("", "list"), directory.path());
    let small = lines(&[&names[0]]);
    disk.wait_for(&small);
    let ballast = disk.file.with_file_name("ballast");
    fs::write(&ballast, vec![0; 48 << 10]).unwrap();

    add_at_once(&redis, "list", &names);
    until("it tells that the disk is full", || {
        disk.sync
            .output()
            .contains("No space left on device (os error 28); the file stays as it is")
    });
    let held = fs::read_to_string(&disk.file).unwrap();
    assert!(held == small, "{} bytes\n{}", held.len(), disk.sync.output());

    // Nothing changes in the source any more.
    fs::remove_file(&ballast).unwrap();
    let all: Vec<_> = names.iter().map(|name| &**name).collect();
    disk.wait_for(&lines(&all));
    assert_eq!(
        disk.sync.output().matches("No space left").count(),
        1,
        "{}",
        disk.sync.output()
    );
}

fn inode(file: &Path) -> Option<u64> {
    fs::metadata(file).ok().map(|metadata| metadata.ino())
}

#[test]
fn one_that_is_killed_while_it_writes_leaves_the_old_file_or_the_new_one() {
    const MEMBERS: usize = 20_000;
    let redis = Redis::start();
    let contents = ["one", "two"].map(|version| {
        let names: Vec<_> = (0..MEMBERS).map(|number| format!("{version}-{number:06}")).collect();
        names.chunks(1000).for_each(|names| add_at_once(&redis, version, names));
        let names: Vec<_> = names.iter().map(|name| &**name).collect();
        lines(&names)
    });
    redis.run(&["copy", "one", "list"]);
    let mut sync = Sync::start(&redis.source("", "list"), &[]);
    sync.wait_for(&contents[0]);

    let mut random = fastrand::Rng::with_seed(7);
    let mut has_left_a_part = false;
    for round in 0..30 {
        let inode_before = inode(sync.file());
        redis.run(&["copy", ["two", "one"][round % 2], "list", "replace"]);
        let beside = sync.file().with_file_name(".list.txt.new");
        match round % 2 {
            0 => {
                // The new file is beside the old one for a moment, which may be missed: then that has been replaced.
                let begun = Instant::now();
                while !beside.exists() && inode(sync.file()) == inode_before {
                    assert!(begun.elapsed() < PATIENCE, "it does not write");
                }
            }
            _ => thread::sleep(Duration::from_millis(150 + random.u64(0..250))),
        }
        sync.process().kill();
        has_left_a_part |= beside.exists();
        let held = sync.content().expect("a file");
        assert!(contents.contains(&held), "round {round}: {} bytes", held.len());
        sync.start_again();
        sync.wait_for(&contents[(round + 1) % 2]);
        assert!(!beside.exists());
    }
    assert!(has_left_a_part, "it was never killed while it wrote");
}
