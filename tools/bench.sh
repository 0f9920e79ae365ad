#!/usr/bin/env bash
# Builds the module, and measures what it costs a request: tools/bench.sh instructions|gate|accept [options]
set -euo pipefail
cd "$(dirname "$0")/.."

tools/require.sh build bench
tools/build.sh
exec cargo run --manifest-path bench/Cargo.toml --target-dir target/bench --locked --quiet -- "$@"
