#!/usr/bin/env bash
# Leaves in build/ an nginx and the module that fits it; with `test`, also the module with faults to inject.
# BUILD_DIR=<directory> leaves them there instead.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${BUILD_DIR:-build}

build() { # [arguments]: what cargo made, as lines of JSON
    tools/cargo.sh build --release --message-format=json-render-diagnostics "$@"
}

module() {
    sed -n '/"reason":"compiler-artifact".*"name":"ngx_http_cors_module"/s/.*"filenames":\["\([^"]*\)".*/\1/p' <<<"$1"
}

# By rename: a running nginx has the old file mapped and must keep it.
put() { # <file> <destination>
    mkdir -p "$(dirname "$2")"
    cmp -s "$1" "$2" || { install -m 755 "$1" "$2.new" && mv -f "$2.new" "$2"; }
}

made=$(build)
if [ -n "${NGINX_BINARY:-}" ]; then
    nginx=$(command -v "$NGINX_BINARY")
else
    objs=$(sed -n '/"reason":"build-script-executed".*#nginx-sys@/s/.*"out_dir":"\([^"]*\)".*/\1/p' <<<"$made")/objs
    nginx=$objs/nginx
    # cargo watches these two for changes and takes their making for one: the next run would build anew.
    touch -t 200001010000 "$objs/Makefile" "$objs/ngx_auto_config.h"
fi
# What was made for another nginx must not be found beside this one.
cmp -s "$nginx" "$directory/nginx" || rm -f "$directory"/test/*.so
put "$(module "$made")" "$directory/ngx_http_cors_module.so"
put "$nginx" "$directory/nginx"

if [ "${1:-}" = test ]; then
    made=$(build --features fault-injection)
    put "$(module "$made")" "$directory/test/ngx_http_cors_module.so"
fi
