//! `cargo xtask test-in`: the tests of the module in nginx, with a debug build of the module or under a tool that
//! watches both.

use anyhow::Result;
use xshell::{cmd, Shell};

use crate::build::{build, Variant};
use crate::nginx::{Nginx, Watcher};
use crate::unit_tests;
use crate::workspace::root;

pub fn test(sh: &Shell, variant: Variant, arguments: &[String]) -> Result<()> {
    build(sh, Some(variant))?;
    if let Variant::Watched(watcher) = variant {
        unit_tests::test_for(sh, &Nginx::vendored(Some(watcher))?)?;
    }
    let directory = match variant {
        Variant::Test => root().join("build"),
        _ => root().join("build").join(variant.name()),
    };
    let mut tests = cmd!(
        sh,
        "cargo test -p cors-tests --test module --no-fail-fast -- {arguments...}"
    )
    .env("CORS_TEST_NGINX", directory.join("nginx"))
    .env("CORS_TEST_MODULE", directory.join("ngx_http_cors_module.so"))
    .env(
        "CORS_TEST_FAULTY_MODULE",
        directory.join("test/ngx_http_cors_module.so"),
    );
    if let Variant::Watched(watcher) = variant {
        // nginx-cors starts the nginx of these by itself, outside of the wrapper.
        tests = tests
            .args(["--skip", "trials::", "--skip", "a_converted_configuration"])
            .env("CORS_TEST_WRAPPER", wrapper(watcher));
    }
    Ok(tests.run()?)
}

/// The command that the tests start nginx with. They fail where a file of the name `{reports}...` has something in it.
fn wrapper(watcher: Watcher) -> String {
    let tests = root().join("tests");
    let tests = tests.display();
    match watcher {
        // Symbols are kept for what a reload has unloaded.
        Watcher::Valgrind => format!(
            "valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
             --keep-debuginfo=yes --child-silent-after-fork=no --suppressions={tests}/valgrind.supp \
             --log-file={{reports}}%p"
        ),
        Watcher::AddressSanitizer => format!(
            "env ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:check_initialization_order=1\
             :strict_init_order=1:log_path={{reports}} \
             LSAN_OPTIONS=suppressions={tests}/lsan.supp:print_suppressions=0"
        ),
    }
}
