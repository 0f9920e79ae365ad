#!/usr/bin/env bash
# Builds the module twice, in two directories with two copies of everything, and compares the bytes.
set -euo pipefail
cd "$(dirname "$0")/.."
unset MAKEFLAGS MFLAGS

cargo xtask build
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for directory in "$work/one" "$work/another/further/down"; do
    mkdir -p "$directory/checkout"
    git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$directory/checkout"
    cp -RL target/vendored/source "$directory/nginx"
    (cd "$directory/nginx" && auto/configure --with-compat --add-dynamic-module="$directory/checkout" >/dev/null &&
        make -s -f objs/Makefile modules >/dev/null)
    sha256sum "$directory/nginx/objs/ngx_http_cors_module.so"
done | tee "$work/sums"

[ "$(cut -d' ' -f1 "$work/sums" | sort -u | wc -l)" = 1 ] || {
    echo 'error: the same sources made different modules' >&2
    exit 1
}
if strings -n 4 "$work/one/nginx/objs/ngx_http_cors_module.so" | grep -F -e "$work" -e "$HOME/"; then
    echo 'error: the module names directories of this machine' >&2
    exit 1
fi
