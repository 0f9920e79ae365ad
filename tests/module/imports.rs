//! What `nginx-cors convert` writes for the documents of other gateways in `tests/imports`: nginx takes it.

use std::fs;

use harness::{workspace_root, Nginx};

#[test]
fn nginx_takes_what_is_written_for_other_gateways() {
    let mut tried = 0;
    for product in fs::read_dir(workspace_root().join("tests/imports")).expect("the documents") {
        let product = product.expect("a readable directory").path();
        for written in fs::read_dir(&product).expect("a readable directory") {
            let written = written.expect("a readable directory").path();
            if written.extension().is_none_or(|ending| ending != "conf") {
                continue;
            }
            let text = fs::read_to_string(&written).expect("a readable file");
            // The operator's servers have ports of their own.
            let text = text.replace("    server_name ", "    {listen}\n    server_name ");
            let check = Nginx::builder().http(&text).check();
            assert_eq!(check.code, Some(0), "{}: {}", written.display(), check.stderr);
            tried += 1;
        }
    }
    assert!(tried >= 8, "{tried}");
}
