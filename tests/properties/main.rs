//! What holds for every configuration, tried on random ones in a real nginx: they are written as people write them, from
//! a fixed seed.
//!
//! `cargo test -p cors-tests --test properties -- --ignored --nocapture` tries ten thousand of each kind, and prints what
//! became of them.

mod agreement;
mod batch;
mod entries;
mod table;

/// How many configurations are tried with every change.
fn few() -> usize {
    match harness::is_watched() {
        // A tool that watches nginx takes a second for each `nginx -t`.
        true => 40,
        false => 400,
    }
}

const MANY: usize = 10_000;
