#!/usr/bin/env bash
# Builds the module, and measures what it costs a request: tools/bench.sh <command> [options]
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

if [ "$1 ${2:-}" = 'compare --other' ]; then
    [ -n "${3:-}" ] ||
        fail 'OTHER names the module to compare with: make bench-compare OTHER=<directory>/ngx_http_cors_module.so'
    [ -f "$3" ] || fail "OTHER is no file: $3"
    tools/require.sh load
fi
tools/require.sh build bench
tools/build.sh
if [ "$1" = all ]; then
    tools/require.sh peers
    NGINX_BINARY=/usr/sbin/nginx BUILD_DIR=build/debian tools/build.sh
    cargo build --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet --release -p tower-http-peer
fi
exec cargo run --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet -- "$@"
