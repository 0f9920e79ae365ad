//! Pages of the documentation that tests make.

use std::path::Path;
use std::{env, fs};

/// Fails unless a page of the workspace is this one. With `UPDATE_DOCS` set it is written.
#[track_caller]
pub fn assert_written(name: &str, page: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, page).unwrap();
    }
    let written = fs::read_to_string(&file).unwrap_or_default();
    let differs = written.lines().zip(page.lines()).find(|(one, other)| one != other);
    assert!(
        written == page,
        "{name} is out of step; UPDATE_DOCS=1 writes it anew: {differs:?}"
    );
}
