//! PostgreSQL.

use std::fs;

use crate::engine::Postgres;
use crate::process::directory;
use crate::running_sync::{error_of_once, Sync};
use crate::{lines, origin};

/// Customers, and a trigger that tells of their changes.
const CUSTOMERS: &str = "
    CREATE TABLE customers (name text PRIMARY KEY, origin text);
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NOTIFY customers; RETURN NULL; END
    $$;
    CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON customers
        FOR EACH STATEMENT EXECUTE FUNCTION tell();
";
const QUERY: &str = "SELECT origin FROM customers";

fn insert(postgres: &Postgres, name: &str) {
    postgres.sql(&format!("INSERT INTO customers VALUES ('{name}', '{}')", origin(name)));
}

#[test]
fn the_file_follows_the_query_at_each_notification() {
    let postgres = Postgres::start();
    postgres.sql(CUSTOMERS);
    insert(&postgres, "a");
    let source = postgres.source("owner@", QUERY, "&channel=customers");
    let sync = Sync::start(&source, &["--every", "3600"]);
    sync.wait_for(&lines(&["a"]));
    insert(&postgres, "b");
    sync.wait_for(&lines(&["a", "b"]));
    postgres.sql("DELETE FROM customers WHERE name = 'a'");
    sync.wait_for(&lines(&["b"]));
    // A customer without a domain.
    postgres.sql("INSERT INTO customers VALUES ('c', NULL), ('d', 'https://d.example')");
    sync.wait_for(&lines(&["b", "d"]));
}

#[test]
fn without_a_channel_the_query_is_asked_from_time_to_time() {
    let postgres = Postgres::start();
    postgres.sql(CUSTOMERS);
    insert(&postgres, "a");
    let sync = Sync::start(&postgres.source("owner@", QUERY, ""), &["--every", "1"]);
    sync.wait_for(&lines(&["a"]));
    insert(&postgres, "b");
    sync.wait_for(&lines(&["a", "b"]));
}

#[test]
fn two_columns_are_keys_and_origins() {
    let postgres = Postgres::start();
    postgres.sql("CREATE TABLE tenants (host text, origin text)");
    postgres.sql("INSERT INTO tenants VALUES ('b', 'https://c.example'), ('a', 'https://a.example https://b.example')");
    let sync = Sync::start(&postgres.source("owner@", "TABLE tenants", ""), &["--key"]);
    sync.wait_for("a https://a.example https://b.example\nb https://c.example\n");
}

#[test]
fn no_key_can_name_origins_of_another() {
    let postgres = Postgres::start();
    postgres.sql("CREATE TABLE tenants (host text, origin text)");
    postgres.sql("INSERT INTO tenants VALUES ('a https://evil.example', 'https://b.example')");
    let sync = Sync::start(&postgres.source("owner@", "TABLE tenants", ""), &["--key"]);
    let health = sync.wait_for_obstacle("content");
    let reason = health["reason"].as_str().unwrap();
    assert!(
        reason.starts_with("row 1: the key \"a https://evil.example\" is no word"),
        "{reason}"
    );
}

#[test]
fn two_columns_without_keys_are_told() {
    let postgres = Postgres::start();
    let sync = Sync::start(&postgres.source("owner@", "SELECT 'a', 'https://a.example'", ""), &[]);
    let health = sync.wait_for_obstacle("source");
    let reason = health["reason"].as_str().unwrap();
    assert!(reason.contains("2 columns") && reason.contains("--key"), "{reason}");
}

#[test]
fn a_table_that_is_emptied_by_accident_leaves_the_last_good_file() {
    let postgres = Postgres::start();
    postgres.sql(CUSTOMERS);
    insert(&postgres, "a");
    let source = postgres.source("owner@", QUERY, "&channel=customers");
    let sync = Sync::start(&source, &["--every", "3600"]);
    sync.wait_for(&lines(&["a"]));
    postgres.sql("TRUNCATE customers");
    sync.wait_for_obstacle("empty");
    assert_eq!(sync.content(), Some(lines(&["a"])));
}

#[test]
fn a_query_that_fails_is_told_with_what_the_server_says() {
    let postgres = Postgres::start();
    let sync = Sync::start(&postgres.source("owner@", QUERY, ""), &[]);
    let health = sync.wait_for_obstacle("source");
    let reason = health["reason"].as_str().unwrap();
    assert!(reason.contains("relation \"customers\" does not exist"), "{reason}");
}

#[test]
fn a_server_that_was_killed_is_followed_when_it_is_back() {
    let mut postgres = Postgres::start();
    postgres.sql(CUSTOMERS);
    insert(&postgres, "a");
    let source = postgres.source("owner@", QUERY, "&channel=customers");
    let sync = Sync::start(&source, &["--every", "3600"]);
    sync.wait_for(&lines(&["a"]));
    postgres.kill();
    sync.wait_for_obstacle("source");
    assert_eq!(sync.content(), Some(lines(&["a"])));
    postgres.start_again();
    sync.wait_until_up_to_date();
    insert(&postgres, "b");
    sync.wait_for(&lines(&["a", "b"]));
}

#[test]
fn tls_a_certificate_of_the_client_and_a_password() {
    let postgres = Postgres::start_with_tls();
    postgres.sql(CUSTOMERS);
    insert(&postgres, "a");
    postgres.sql("CREATE ROLE reader LOGIN PASSWORD 'reader''s'; GRANT SELECT ON customers TO reader");
    let directory = directory();
    let password = directory.path().join("password");
    fs::write(&password, "reader's\n").unwrap();
    let source = postgres.source("reader@", QUERY, "&channel=customers");
    let tls = postgres.certificates().arguments();
    let tls: Vec<_> = tls.iter().map(|argument| &**argument).collect();
    let sync = Sync::start(
        &source,
        &[&tls[..], &["--password-file", password.to_str().unwrap()]].concat(),
    );
    sync.wait_for(&lines(&["a"]));
    insert(&postgres, "b");
    sync.wait_for(&lines(&["a", "b"]));

    let file = directory.path().join("list.txt");
    let told = |arguments: &[&str], password: &str| error_of_once(&source, &file, arguments, password);
    let error = told(&tls, "another");
    assert!(error.contains("the user or the password is wrong"), "{error}");
    let error = told(&tls, "");
    assert!(error.contains("it wants a password: --password-file FILE"), "{error}");
    let error = told(&tls[2..], "reader's");
    assert!(error.contains("name its authority: --ca FILE"), "{error}");
}
