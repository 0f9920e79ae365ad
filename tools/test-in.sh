#!/usr/bin/env bash
# Runs the tests of the module in nginx, built in another way or under a tool that watches it.
# tools/test-in.sh debug|valgrind|asan [arguments for the tests]
set -euo pipefail
cd "$(dirname "$0")/.."

way=$1
shift
tools/build.sh "$way"

export CORS_TEST_NGINX=$PWD/build/$way/nginx
export CORS_TEST_MODULE=$PWD/build/$way/ngx_http_cors_module.so
export CORS_TEST_FAULTY_MODULE=$PWD/build/$way/test/ngx_http_cors_module.so

# The tests fail where a file of the name {reports}... has something in it.
case $way in
valgrind)
    options=(-q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
        --keep-debuginfo=yes # of modules that a reload has unloaded
        --child-silent-after-fork=no
        "--suppressions=$PWD/tests/valgrind.supp"
        '--log-file={reports}%p')
    export CORS_TEST_WRAPPER="valgrind ${options[*]}"
    ;;
asan)
    asan=detect_leaks=1:detect_stack_use_after_return=1:check_initialization_order=1:strict_init_order=1
    asan+=:'log_path={reports}'
    lsan=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
    export CORS_TEST_WRAPPER="env ASAN_OPTIONS=$asan LSAN_OPTIONS=$lsan"
    ;;
esac

cargo test -p cors-tests --test module --no-fail-fast -- "$@"
