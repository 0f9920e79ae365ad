//! `cors_origin_list`: lists of origins that change while nginx runs.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant, SystemTime};

use harness::{poll, server, Builder, Nginx, Request};
use serde_json::Value;

use crate::{assert_allows, assert_silent, assert_status, APP, STRANGER};

const TENANT: &str = "https://tenant.example";
const FILE: &str = "conf/tenants.txt";
/// A list whose file is looked at often.
const LIST: &str = "cors_origin_list tenants tenants.txt check=20ms;";
/// A list whose file is read when nginx starts and is told to reload, and at no other time while a test runs.
const STILL: &str = "cors_origin_list tenants tenants.txt check=1h;";
const POLICY: &str = "location / { cors on; cors_allow_origin @tenants; add_header X-Worker $pid; }";

fn builder(list: &str, content: &str) -> Builder {
    Nginx::builder().http(list).file(FILE, content)
}

fn nginx(content: &str) -> Nginx {
    builder(LIST, content).server(POLICY).start()
}

/// Puts another file in the place of the list's.
fn replace(nginx: &Nginx, content: &str) {
    let new = nginx.prefix().join("conf/new.txt");
    fs::write(&new, content).expect("a new file");
    fs::rename(new, nginx.prefix().join(FILE)).expect("a file to replace");
}

fn is_allowed(nginx: &Nginx, origin: &str) -> bool {
    let response = nginx.send(&Request::get("/hello.txt").origin(origin));
    assert_status(&response, 200);
    response.all("Access-Control-Allow-Origin") == [origin]
}

/// Waits until the origin is allowed, or no longer.
#[track_caller]
fn wait_until_allowed(nginx: &Nginx, origin: &str, allowed: bool) {
    let is_so = poll(|| (is_allowed(nginx, origin) == allowed).then_some(()));
    assert!(is_so.is_some(), "{origin} stays {}\n{}", !allowed, nginx.error_log());
}

/// The lines of the error log about lists, once one of them has this text.
#[track_caller]
fn logged(nginx: &Nginx, text: &str) -> Vec<String> {
    let lines = || -> Vec<String> {
        let log = nginx.error_log();
        log.lines()
            .filter(|line| line.contains("cors_origin_list"))
            .map(str::to_owned)
            .collect()
    };
    let found = poll(|| Some(lines()).filter(|lines| lines.iter().any(|line| line.contains(text))));
    found.unwrap_or_else(|| panic!("no {text:?} in {}", nginx.error_log()))
}

/// Replaces the file until a list of the last configuration has been read anew.
#[track_caller]
fn wait_until_followed(nginx: &Nginx, list: &str) {
    let served = format!("cors_origin_list \"{list}\": 1 entry, generation ");
    let mut number = 0;
    let followed = poll(|| {
        number += 1;
        replace(nginx, &format!("https://tenant-{number}.example"));
        let log = nginx.error_log();
        let (_, since) = log.rsplit_once("reconfiguring")?;
        since.contains(&served).then_some(())
    });
    assert!(followed.is_some(), "{}", nginx.error_log());
}

fn count(lines: &[String], text: &str) -> usize {
    lines.iter().filter(|line| line.contains(text)).count()
}

#[test]
fn the_origins_of_a_file_are_allowed_from_the_start() {
    let nginx = builder(STILL, "https://app.example.com # ours\nhttps://*.tenant.example\n")
        .server(POLICY)
        .start();
    assert_allows(&nginx.send(&Request::get("/hello.txt").origin(APP)), APP);
    let of_pattern = "https://a.tenant.example";
    assert_allows(&nginx.send(&Request::preflight("/", of_pattern, "GET")), of_pattern);
    let refused = nginx.send(&Request::preflight("/", STRANGER, "GET"));
    assert_status(&refused, 403);
    assert_silent(&refused);
    assert_eq!(refused.only("Vary"), "Origin");
}

#[test]
fn a_list_stands_beside_other_entries_and_may_be_given_after_its_use() {
    let nginx = Nginx::builder()
        .file(FILE, TENANT)
        .server("location / { cors on; cors_allow_origin https://app.example.com @tenants; }")
        .http(STILL)
        .start();
    assert!(is_allowed(&nginx, APP) && is_allowed(&nginx, TENANT) && !is_allowed(&nginx, STRANGER));
}

#[test]
fn a_replaced_file_holds_in_all_workers_without_a_reload() {
    const WORKERS: usize = 3;
    // The kernel deals connections out to all workers.
    let server = format!("server {{ listen 127.0.0.1:{{port}} reuseport; {POLICY} }}");
    let nginx = builder(LIST, APP).workers(WORKERS).http(&server).start();
    let all = || Some(nginx.worker_pids()).filter(|workers| workers.len() == WORKERS);
    let workers = poll(all).expect("all workers");
    replace(&nginx, TENANT);
    logged(&nginx, "1 entry, generation 2");
    // From the moment that one of them goes by the new list, all do.
    let mut seen = BTreeSet::new();
    let asked = poll(|| {
        let response = nginx.send(&Request::get("/hello.txt").origin(TENANT));
        assert_allows(&response, TENANT);
        seen.insert(response.only("X-Worker").to_owned());
        assert_silent(&nginx.send(&Request::get("/hello.txt").origin(APP)));
        (seen.len() == WORKERS).then_some(())
    });
    assert!(asked.is_some(), "{seen:?}");
    assert_eq!(nginx.worker_pids(), workers);
}

#[test]
fn a_connection_stays_open_while_the_list_changes() {
    let nginx = nginx(APP);
    let mut connection = nginx.connect();
    let request = Request::get("/hello.txt").origin(TENANT);
    assert_silent(&connection.send(&request));
    replace(&nginx, TENANT);
    logged(&nginx, "generation 2");
    assert_allows(&connection.send(&request), TENANT);
}

#[test]
fn a_file_that_is_being_written_is_not_read_until_it_stays_the_same() {
    let list = "cors_origin_list tenants tenants.txt check=500ms;";
    let nginx = builder(list, APP).server(POLICY).start();
    let mut file = OpenOptions::new()
        .append(true)
        .open(nginx.prefix().join(FILE))
        .expect("the file");
    // It is looked at three times meanwhile, and is another one each time.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1800) {
        file.write_all(b"\nhttps:").expect("a longer file");
        assert!(is_allowed(&nginx, APP) && !is_allowed(&nginx, TENANT));
        file.write_all(b"//tenant.example").expect("a longer file");
    }
    wait_until_allowed(&nginx, TENANT, true);
    assert_eq!(count(&logged(&nginx, "generation 2"), "stays as it was"), 0);
}

#[test]
fn a_wrong_line_keeps_the_list_and_is_logged_once() {
    let nginx = builder(LIST, APP).workers(3).server(POLICY).start();
    replace(&nginx, "https://tenant.example\ntenant.example\n");
    let wrong = "cors_origin_list \"tenants\": the list stays as it was: \"tenant.example\": the scheme is missing; write \"https://tenant.example\" in ";
    let lines = logged(&nginx, wrong);
    assert!(
        lines.iter().any(|line| line.contains(&format!("{FILE}:2"))),
        "{lines:?}"
    );
    assert!(is_allowed(&nginx, APP) && !is_allowed(&nginx, TENANT));
    // What was wrong is put right, and read; the line was logged once meanwhile.
    replace(&nginx, TENANT);
    let lines = logged(&nginx, "generation 2");
    assert_eq!(count(&lines, wrong), 1, "{lines:?}");
    assert!(!is_allowed(&nginx, APP) && is_allowed(&nginx, TENANT));
}

#[test]
fn of_many_wrong_lines_ten_are_logged_and_the_rest_counted() {
    let nginx = nginx(APP);
    replace(&nginx, &"wrong\n".repeat(1000));
    let lines = logged(&nginx, "tenants.txt: 990");
    assert_eq!(count(&lines, "\"wrong\": "), 10, "{lines:?}");
    assert!(is_allowed(&nginx, APP));
}

#[test]
fn touch_has_the_file_read_again() {
    let nginx = nginx(APP);
    let file = File::open(nginx.prefix().join(FILE)).expect("the file");
    file.set_modified(SystemTime::now() + Duration::from_secs(5))
        .expect("another time");
    logged(&nginx, "read again, and nothing has changed");
    assert!(is_allowed(&nginx, APP));
}

#[test]
fn a_file_that_is_gone_leaves_its_list() {
    let nginx = nginx(APP);
    fs::remove_file(nginx.prefix().join(FILE)).expect("a file");
    let gone = "cannot be read: No such file or directory";
    logged(&nginx, gone);
    assert!(is_allowed(&nginx, APP));
    replace(&nginx, TENANT);
    let lines = logged(&nginx, "generation 2");
    assert_eq!(count(&lines, gone), 1, "{lines:?}");
    wait_until_allowed(&nginx, TENANT, true);
}

#[test]
fn what_is_no_file_is_told_and_stops_nothing() {
    let nginx = nginx(APP);
    fs::remove_file(nginx.prefix().join(FILE)).expect("a file");
    fs::create_dir(nginx.prefix().join(FILE)).expect("a directory");
    logged(&nginx, "it is no file");
    assert!(is_allowed(&nginx, APP));
}

#[test]
fn a_file_that_is_too_large_names_the_size() {
    let list = "cors_origin_list tenants tenants.txt check=20ms size=64k;";
    let nginx = builder(list, APP).server(POLICY).start();
    let many: String = (0..20_000)
        .map(|n| format!("https://tenant-{n}.example.com\n"))
        .collect();
    replace(&nginx, &many);
    let lines = logged(&nginx, "does not fit into 64k; write \"size=2m\" or more");
    assert_eq!(count(&lines, "stays as it was"), 1, "{lines:?}");
    assert!(is_allowed(&nginx, APP) && !is_allowed(&nginx, "https://tenant-7.example.com"));
}

#[test]
fn an_empty_file_is_a_list_of_nobody() {
    let nginx = nginx(APP);
    replace(&nginx, "# nobody yet\n");
    let lines = logged(&nginx, "0 entries, generation 2, it is a list of nobody");
    assert!(lines.iter().any(|line| line.contains("[notice]")), "{lines:?}");
    assert!(!is_allowed(&nginx, APP));

    let nginx = builder(STILL, "").server(POLICY).start();
    let lines = logged(&nginx, "tenants.txt lists nobody");
    assert!(lines.iter().any(|line| line.contains("[notice]")), "{lines:?}");
    assert!(!is_allowed(&nginx, APP));
}

#[test]
fn with_keys_each_host_has_its_own_origins() {
    let list = "cors_origin_list tenants tenants.txt key=$host check=20ms;";
    let content = "a.test https://app.example.com\nb.test https://tenant.example # b's\nb.test https://*.b.example\n";
    let nginx = builder(list, content).server(POLICY).start();
    let allows = |host: &str, origin: &str| {
        let response = nginx.send(&Request::get("/hello.txt").header("Host", host).origin(origin));
        !response.access_control().is_empty()
    };
    assert!(allows("a.test", APP) && !allows("a.test", TENANT));
    assert!(allows("b.test", TENANT) && allows("b.test", "https://x.b.example") && !allows("b.test", APP));
    assert!(!allows("c.test", APP));
    replace(&nginx, "c.test https://app.example.com");
    logged(&nginx, "generation 2");
    assert!(allows("c.test", APP) && !allows("a.test", APP));
}

/// Kubernetes replaces the files of a ConfigMap by turning a link, two levels above them.
#[test]
fn a_link_that_is_turned_two_levels_up_is_followed() {
    let nginx = builder("cors_origin_list tenants map/tenants.txt check=20ms;", "")
        .file("conf/map/..2026_1/tenants.txt", APP)
        .file("conf/map/..2026_2/tenants.txt", TENANT)
        .file("conf/map/tenants.txt", APP)
        .server(POLICY)
        .start();
    let map = nginx.prefix().join("conf/map");
    let turn = |to: &str| {
        symlink(to, map.join("..data_tmp")).expect("a link");
        fs::rename(map.join("..data_tmp"), map.join("..data")).expect("a link to replace");
    };
    turn("..2026_1");
    symlink("..data/tenants.txt", map.join("link")).expect("a link");
    fs::rename(map.join("link"), map.join("tenants.txt")).expect("a file to replace");
    logged(&nginx, "read again, and nothing has changed");
    turn("..2026_2");
    logged(&nginx, "generation 2");
    assert!(is_allowed(&nginx, TENANT) && !is_allowed(&nginx, APP));
}

/// Whoever builds is among those that are killed, at whatever point it is.
#[test]
fn workers_that_are_killed_while_they_build_leave_the_list_and_others_take_over() {
    let list = "cors_origin_list tenants tenants.txt check=20ms size=64m;";
    let mut nginx = builder(list, APP).workers(2).server(POLICY).start();
    let many: String = (0..300_000)
        .map(|n| format!("https://tenant-{n}.example.com\n"))
        .collect();
    replace(&nginx, &many);
    nginx.kill_workers();
    assert!(is_allowed(&nginx, APP) || is_allowed(&nginx, "https://tenant-7.example.com"));
    wait_until_allowed(&nginx, "https://tenant-299999.example.com", true);
    assert!(!is_allowed(&nginx, APP));
    replace(&nginx, TENANT);
    wait_until_allowed(&nginx, TENANT, true);
}

#[test]
fn a_reload_with_a_wrong_file_leaves_the_list_that_is_served() {
    let mut nginx = builder(STILL, APP).server(POLICY).start();
    replace(&nginx, "tenant.example");
    let refusal = nginx.reload_refused(&format!("{STILL}{}", server(POLICY)));
    assert!(
        refusal.contains("\"tenant.example\": the scheme is missing; write \"https://tenant.example\" in "),
        "{refusal}"
    );
    assert!(refusal.contains(&format!("{FILE}:1")), "{refusal}");
    assert!(is_allowed(&nginx, APP));
}

#[test]
fn a_reload_that_fails_elsewhere_leaves_the_list_that_is_served() {
    let mut nginx = builder(STILL, APP).server(POLICY).start();
    replace(&nginx, TENANT);
    let refusal = nginx.reload_refused(&format!("{STILL}{}", server("listen unix:no/such/directory/socket;")));
    assert!(refusal.contains("bind()"), "{refusal}");
    assert!(is_allowed(&nginx, APP) && !is_allowed(&nginx, TENANT));
    nginx.reload_with(&format!("{STILL}{}", server(POLICY)));
    assert!(!is_allowed(&nginx, APP) && is_allowed(&nginx, TENANT));
}

#[test]
fn a_reload_reads_the_file_anew() {
    let mut nginx = builder(STILL, APP).workers(2).server(POLICY).start();
    for (content, allowed, denied) in [(TENANT, TENANT, APP), (APP, APP, TENANT), (APP, APP, TENANT)] {
        replace(&nginx, content);
        nginx.reload_with(&format!("{STILL}{}", server(POLICY)));
        assert!(is_allowed(&nginx, allowed) && !is_allowed(&nginx, denied));
    }
}

#[test]
fn a_reload_may_name_another_file() {
    let mut nginx = builder(LIST, APP).file("conf/other.txt", TENANT).server(POLICY).start();
    let other = "cors_origin_list tenants other.txt check=20ms;";
    nginx.reload_with(&format!("{other}{}", server(POLICY)));
    assert!(is_allowed(&nginx, TENANT) && !is_allowed(&nginx, APP));
    // The old file is no one's any more.
    replace(&nginx, STRANGER);
    fs::write(nginx.prefix().join("conf/other.txt"), "https://other.example").expect("a file");
    wait_until_allowed(&nginx, "https://other.example", true);
    assert!(!is_allowed(&nginx, STRANGER));
}

#[test]
fn the_file_is_followed_after_reloads_and_after_one_that_failed() {
    let mut nginx = builder(LIST, APP).server(POLICY).start();
    nginx.reload_with(&format!("{LIST}{}", server(POLICY)));
    replace(&nginx, TENANT);
    wait_until_allowed(&nginx, TENANT, true);
    nginx.reload_refused(&server("listen unix:no/such/directory/socket;"));
    replace(&nginx, STRANGER);
    wait_until_allowed(&nginx, STRANGER, true);
}

#[test]
fn what_a_policy_ignores_in_a_list_is_told_once_a_version() {
    let with_credentials = "location / { cors on; cors_allow_origin @tenants; cors_allow_credentials on; }";
    let nginx = builder(LIST, APP).workers(2).server(with_credentials).start();
    let insecure = "http://intranet.example";
    replace(&nginx, &format!("{insecure}\n{TENANT}\nhttp://two.example\n"));
    let text = "\"cors_allow_origin\" ignores 2 entries of the list \"tenants\", the first in ";
    logged(&nginx, text);
    assert!(is_allowed(&nginx, TENANT) && !is_allowed(&nginx, insecure));
    replace(&nginx, &format!("{TENANT}\n{insecure}\n"));
    let lines = logged(&nginx, "ignores 1 entry of the list \"tenants\", in ");
    assert_eq!(count(&lines, text), 1, "{lines:?}");
    let told = format!("{FILE}:2: with credentials it needs \"cors_unsafe insecure_origins\"");
    assert_eq!(count(&lines, &told), 1, "{lines:?}");
}

#[test]
fn what_a_policy_ignores_is_a_warning_when_the_configuration_is_read() {
    let check = builder(STILL, "https://*.co.uk\nhttp://a.example")
        .server("location / { cors on;\ncors_allow_origin @tenants;\n}")
        .check();
    let warning = check.warning_at("cors_allow_origin @tenants");
    assert!(warning.contains("ignores 1 entry of the list \"tenants\""), "{warning}");
    assert!(
        warning.contains("tenants.txt:1: it needs \"cors_unsafe public_suffixes\""),
        "{warning}"
    );
}

#[test]
fn an_entry_that_needs_credentials_to_be_dangerous_is_allowed_without() {
    let content = "http://intranet.example";
    let policy = "location / { cors on; cors_allow_origin @tenants; cors_allow_credentials @tenants; }
        location /unsafe/ { cors on; cors_allow_origin @tenants; cors_allow_credentials on; cors_unsafe insecure_origins; alias html/; }";
    let nginx = builder(STILL, content).server(policy).start();
    let response = nginx.send(&Request::get("/hello.txt").origin(content));
    assert_allows(&response, content);
    assert!(
        response.all("Access-Control-Allow-Credentials").is_empty(),
        "{response}"
    );
    let response = nginx.send(&Request::get("/unsafe/hello.txt").origin(content));
    assert_eq!(response.only("Access-Control-Allow-Credentials"), "true");
}

#[test]
fn all_wrong_lines_of_a_file_and_of_the_configuration_are_shown_in_one_run() {
    let check = builder(STILL, "wrong\n\nhttps://a.example *\n")
        .server("location / { cors on; cors_allow_origin @tenants @others;\ncors_max_age soon;\n}")
        .check();
    assert!(!check.accepted());
    for expected in [
        "[emerg] \"cors_origin_list tenants\": \"wrong\": the scheme is missing; write \"https://wrong\" in ",
        "tenants.txt:3",
        "\"cors_max_age\" has the value \"soon\"",
        "\"cors_allow_origin\" has the value \"@others\": there is no such list; write \"@tenants\"",
    ] {
        assert!(check.stderr.contains(expected), "{expected}\n{}", check.stderr);
    }
}

#[test]
fn of_many_wrong_lines_the_check_shows_ten_and_counts_the_rest() {
    let check = builder(STILL, &"wrong\n".repeat(1000)).server(POLICY).check();
    assert!(!check.accepted());
    assert_eq!(
        check.stderr.matches("the scheme is missing").count(),
        10,
        "{}",
        check.stderr
    );
    assert!(
        check.stderr.contains("tenants.txt: 990; put them right, too"),
        "{}",
        check.stderr
    );
}

#[test]
fn a_missing_file_is_an_error_of_the_configuration() {
    let check = Nginx::builder().http(STILL).server(POLICY).check();
    let message = check.error_at("cors_origin_list");
    assert!(
        message.contains("conf/tenants.txt cannot be read: No such file or directory"),
        "{message}"
    );
}

#[test]
fn a_file_that_has_no_room_is_an_error_of_the_configuration() {
    let many: String = (0..20_000)
        .map(|n| format!("https://tenant-{n}.example.com\n"))
        .collect();
    let small = "cors_origin_list tenants tenants.txt size=64k;";
    let check = builder(small, &many).server(POLICY).check();
    let message = check.error_at("cors_origin_list");
    assert!(
        message.contains("does not fit into 64k; write \"size=2m\" or more"),
        "{message}"
    );
    let enough = builder(&small.replace("64k", "2m"), &many).server(POLICY).check();
    assert!(enough.accepted(), "{}", enough.stderr);
}

/// After a reload such a process takes no new connections: those that it has belong to the old configuration, whose memory
/// is gone.
#[test]
fn a_single_process_follows_the_file_too() {
    let mut nginx = builder(LIST, APP).single_process().server(POLICY).start();
    let many: String = (0..50_000)
        .map(|n| format!("https://tenant-{n}.example.com\n"))
        .collect();
    replace(&nginx, &many);
    wait_until_allowed(&nginx, "https://tenant-49999.example.com", true);
    replace(&nginx, APP);
    wait_until_allowed(&nginx, APP, true);
    // The memory of this list goes, and that of another comes.
    let other = "cors_origin_list others tenants.txt check=20ms;";
    let policy = POLICY.replace("@tenants", "@others");
    nginx.reload_single_process(&format!("{other}{}", server(&policy)));
    wait_until_followed(&nginx, "others");
    // This memory stays.
    nginx.reload_single_process(&format!("{other}{}", server(&policy)));
    wait_until_followed(&nginx, "others");
}

#[test]
fn a_single_process_that_loses_its_list_while_it_reads_the_file_goes_on() {
    let mut nginx = builder(LIST, APP).single_process().server(POLICY).start();
    let mut kept = nginx.connect();
    let request = Request::get("/hello.txt").origin(APP);
    assert_allows(&kept.send(&request), APP);
    let many: String = (0..100_000)
        .map(|n| format!("https://tenant-{n}.example.com\n"))
        .collect();
    replace(&nginx, &many);
    nginx.reload_single_process(&server(
        "location / { cors on; cors_allow_origin https://stranger.example; }",
    ));
    let is_lost = poll(|| kept.send(&request).access_control().is_empty().then_some(()));
    assert!(is_lost.is_some());
    for _ in 0..50 {
        assert_status(&kept.send(&request), 200);
    }
}

const STATUS: &str = "location = /status { cors_status; }";

fn with_status(list: &str, content: &str) -> Nginx {
    builder(list, content)
        .http("cors_zone cors:64k;")
        .server(&format!("{POLICY} {STATUS}"))
        .start()
}

fn figures(nginx: &Nginx) -> Value {
    serde_json::from_str(nginx.send(&Request::get("/status")).text()).expect("JSON")
}

/// The beginning of what `sha256sum` shows of a file with nothing in it but the origin of the application.
const DIGEST_OF_APP: &str = "69baddde4d5828ba";

#[test]
fn the_figures_show_the_list_that_is_served() {
    let nginx = with_status(LIST, APP);
    let first = figures(&nginx)["lists"][0].clone();
    assert_eq!(first["name"], "tenants");
    assert_eq!(first["file"], nginx.prefix().join(FILE).display().to_string());
    assert_eq!((&first["entries"], &first["generation"]), (&1.into(), &1.into()));
    assert_eq!(
        (&first["digest"], &first["failed"]),
        (&DIGEST_OF_APP.into(), &Value::Null)
    );
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("a time")
        .as_secs();
    let read = first["read"].as_u64().expect("a time");
    assert!(read <= now && read + 60 > now, "{first}");
    replace(&nginx, "https://a.example https://b.example");
    logged(&nginx, "generation 2");
    let second = figures(&nginx)["lists"][0].clone();
    assert_eq!((&second["entries"], &second["generation"]), (&2.into(), &2.into()));
    assert_ne!(second["digest"], first["digest"]);
}

#[test]
fn the_figures_show_why_a_file_was_not_taken_until_one_is() {
    let nginx = with_status(LIST, APP);
    replace(&nginx, "wrong");
    logged(&nginx, "stays as it was");
    let list = figures(&nginx)["lists"][0].clone();
    assert_eq!(list["digest"], DIGEST_OF_APP);
    let reason = list["failed"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("line 1: \"wrong\": the scheme is missing"), "{reason}");
    let as_text = Request::get("/status").header("Accept", "text/plain");
    let text = nginx.send(&as_text).text().to_owned();
    assert!(text.contains("nginx_cors_list_failed{list=\"tenants\"} 1\n"), "{text}");
    let page = nginx
        .send(&Request::get("/status").header("Accept", "text/html"))
        .text()
        .to_owned();
    assert!(
        page.contains("the scheme is missing") && page.contains(DIGEST_OF_APP),
        "{page}"
    );
    replace(&nginx, TENANT);
    logged(&nginx, "generation 2");
    assert_eq!(figures(&nginx)["lists"][0]["failed"], Value::Null);
    assert!(nginx
        .send(&as_text)
        .text()
        .contains("nginx_cors_list_failed{list=\"tenants\"} 0\n"));
}

#[test]
fn try_asks_the_list_and_names_its_file() {
    let list = "cors_origin_list tenants tenants.txt key=$host check=20ms;";
    let nginx = with_status(
        list,
        "localhost https://app.example.com\nother.test https://tenant.example",
    );
    let explain = |origin: &str| -> Value {
        let asked = format!("/status?try=1&location=/&origin={origin}&method=GET");
        serde_json::from_str(nginx.send(&Request::get(&asked)).text()).expect("JSON")
    };
    let allowed = explain(APP);
    assert_eq!(allowed["allowed"], true, "{allowed:#}");
    assert_eq!(allowed["variables"]["$host"], "localhost", "{allowed:#}");
    let denied = explain(TENANT);
    assert_eq!((&denied["allowed"], &denied["remedy"]), (&false.into(), &Value::Null));
    let advice = denied["advice"].as_str().expect("advice");
    let file = nginx.prefix().join(FILE).display().to_string();
    let expected = format!("add \"{TENANT}\" to its file {file}, on a line that begins with the value of \"$host\"");
    assert!(advice.contains(&expected), "{advice}");
    replace(&nginx, "localhost https://tenant.example");
    logged(&nginx, "generation 2");
    assert_eq!(explain(TENANT)["allowed"], true);
}

/// A candidate is judged with the same lists.
#[test]
fn a_candidate_may_use_a_list() {
    let policy = "location / { cors on; cors_allow_origin https://app.example.com;
        cors_candidate { cors_allow_origin @tenants; }
        add_header X-Candidate $cors_candidate_result; }";
    let nginx = builder(STILL, TENANT).server(policy).start();
    let result = |origin: &str| {
        let response = nginx.send(&Request::get("/hello.txt").origin(origin));
        response.only("X-Candidate").to_owned()
    };
    assert_eq!(
        (result(TENANT), result(APP)),
        ("allowed".to_owned(), "origin_denied".to_owned())
    );
}
