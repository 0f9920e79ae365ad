#!/usr/bin/env bash
# Builds the module, and measures what it costs a request: tools/bench.sh <command> [options]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/require.sh build bench
tools/build.sh
if [ "$1" = all ]; then
    tools/require.sh peers
    NGINX_BINARY=/usr/sbin/nginx BUILD_DIR=build/debian tools/build.sh
    cargo build --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet --release -p tower-http-peer
fi
exec cargo run --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet -- "$@"
