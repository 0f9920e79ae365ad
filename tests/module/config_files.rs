//! The configurations that users copy.

use std::fs;

use harness::{workspace_root, Nginx};

#[test]
fn every_one_serves() {
    let files: Vec<_> = fs::read_dir(workspace_root().join("nginx-conf"))
        .expect("the directory of configurations")
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "conf"))
        .collect();
    assert!(!files.is_empty());
    for file in files {
        let check = Nginx::from_file(&file).check();
        assert!(check.accepted(), "{}", check.stderr);
        assert!(!check.stderr.contains("[warn]"), "{}", check.stderr);
        Nginx::from_file(&file).start();
    }
}
