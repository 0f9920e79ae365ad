//! `nginx-cors sync` with the real engines: etcd, Redis, PostgreSQL.
//!
//! Each test starts the engines that it needs, in directories of their own and on ports that the kernel picks, and stops
//! them by their process ids.

mod deploy;
mod engine;
mod etcd;
mod fleet;
mod postgres;
mod process;
mod recipes;
mod redis;
mod running_sync;
mod sync;
mod tls;
mod wait;

/// An origin for the test called `name`.
fn origin(name: &str) -> String {
    format!("https://{name}.example")
}

/// The content of a file with the origins of these names, which are in order.
fn lines(names: &[&str]) -> String {
    names.iter().map(|name| origin(name) + "\n").collect()
}
