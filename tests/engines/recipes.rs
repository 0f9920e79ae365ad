//! The recipes of `docs/lists.md`, as they stand there.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use harness::Page;

use crate::engine::{Etcd, Postgres, Redis};
use crate::process::{directory, run};
use crate::running_sync::Sync;

const PAGE: &str = "docs/lists.md";

/// Runs lines of a shell, as somebody does who has the engine at its usual address.
fn shell(lines: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-euc", lines]);
    command
}

/// The arguments after the file of the command that starts `sync` in a recipe, and the source with another address.
fn documented(heading: &str, usual: &str, actual: &str) -> (String, Vec<String>) {
    let block = Page::read(PAGE).block(heading, "console");
    let command = block.trim().strip_prefix("$ nginx-cors ").expect("a command");
    // As a shell takes it apart.
    let words = run(&mut shell(&format!("printf '%s\\n' {command}")));
    let words: Vec<_> = words.lines().map(str::to_owned).collect();
    let [sync, source, file, options @ ..] = &*words else {
        panic!("{words:?}");
    };
    assert!(
        sync == "sync" && file.starts_with("/var/lib/nginx-cors/") && source.contains(usual),
        "{words:?}"
    );
    (source.replace(usual, actual), options.to_vec())
}

fn start(heading: &str, usual: &str, actual: &str) -> Sync {
    let (source, options) = documented(heading, usual, actual);
    let options: Vec<_> = options.iter().map(|option| &**option).collect();
    Sync::start(&source, &options)
}

#[test]
fn preview_hosts_written_by_ci() {
    const HEADING: &str = "### Preview hosts written by CI";
    let etcd = Etcd::start(1);
    let sync = start(HEADING, "127.0.0.1:2379", etcd.address());
    sync.wait_for("");
    let [put, delete] = <[String; 2]>::try_from(Page::read(PAGE).blocks_under(HEADING, "sh")).expect("two");
    let job = |lines: &str, branch: &str| {
        let mut command = shell(lines);
        command
            .env("ETCDCTL_API", "3")
            .env("ETCDCTL_ENDPOINTS", etcd.address())
            .env("BRANCH", branch);
        run(&mut command);
    };
    job(&put, "pr-7");
    job(&put, "pr-12");
    sync.wait_for("https://pr-12.preview.example.com\nhttps://pr-7.preview.example.com\n");
    job(&delete, "pr-7");
    sync.wait_for("https://pr-12.preview.example.com\n");
    job(&delete, "pr-12");
    sync.wait_for("");
}

#[test]
fn customers_domains_out_of_postgresql() {
    const HEADING: &str = "### Customers' domains out of PostgreSQL";
    let postgres = Postgres::start();
    postgres.sql(&Page::read(PAGE).block(HEADING, "sql"));
    postgres
        .sql("INSERT INTO domains VALUES (1, 'https://www.acme.example', true), (2, 'https://globex.example', false)");
    let sync = start(HEADING, "127.0.0.1:5432", postgres.address());
    sync.wait_for("https://www.acme.example\n");
    postgres.sql("UPDATE domains SET verified = true WHERE customer = 2");
    sync.wait_for("https://globex.example\nhttps://www.acme.example\n");
    postgres.sql("DELETE FROM domains WHERE customer = 1");
    sync.wait_for("https://globex.example\n");
}

#[test]
fn tenants_each_with_its_own_origins() {
    const HEADING: &str = "### Tenants, each with its own origins";
    let redis = Redis::start();
    let bin = directory();
    write_redis_cli(bin.path(), redis.address());
    let [add, replace] = <[String; 2]>::try_from(Page::read(PAGE).blocks_under(HEADING, "sh")).expect("two");
    let job = |lines: &str| {
        let path = format!("{}:{}", bin.path().display(), std::env::var("PATH").expect("a path"));
        run(shell(lines).env("PATH", path));
    };
    job(&add);
    let sync = start(HEADING, "127.0.0.1:6379", redis.address());
    sync.wait_for(
        "api.acme.example https://www.acme.example https://shop.acme.example\n\
         api.globex.example https://www.globex.example\n",
    );
    job(&replace);
    sync.wait_for("api.acme.example https://www.acme.example\n");
}

/// A `redis-cli` that knows the port.
fn write_redis_cli(directory: &Path, address: &str) {
    let (_, port) = address.rsplit_once(':').expect("a port");
    let found = run(&mut shell("command -v redis-cli"));
    let file = directory.join("redis-cli");
    fs::write(&file, format!("#!/bin/sh\nexec {} -e -p {port} \"$@\"\n", found.trim())).expect("a new file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a file of ours");
}
