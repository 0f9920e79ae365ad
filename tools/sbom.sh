#!/usr/bin/env bash
# Leaves in build/ a bill of the crates that are linked into the module, as of the commit that is checked out, in
# CycloneDX: the same bytes each time, and without the directories of this machine.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo cyclonedx --version >/dev/null 2>&1 || cargo install --locked cargo-cyclonedx
bill=$PWD/build/ngx-http-cors-$(tools/version.sh).cdx.json
mkdir -p build
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH

# It writes a bill beside each Cargo.toml.
work=$(realpath "$(mktemp -d)")
trap 'rm -rf "$work"' EXIT
git archive HEAD | tar -x -C "$work"
(cd "$work" && cargo cyclonedx --quiet --format json --spec-version 1.5 --no-build-deps)
sed "s|path+file://$work|path+file://|g" "$work/ngx-http-cors.cdx.json" >"$bill"
(cd build && sha256sum "${bill##*/}")
