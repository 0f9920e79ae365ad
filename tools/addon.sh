#!/usr/bin/env bash
# Makes ngx_http_cors_module.so in the objs directory of an nginx that is configured; config.make calls it.
# tools/addon.sh <sources of nginx> <objs>
set -euo pipefail

source=$(realpath "$1")
objs=$(realpath "$2")
cd "$(dirname "$0")/.."

export NGINX_TREE=$objs/ngx_http_cors
mkdir -p "$NGINX_TREE"
ln -sfn "$source" "$NGINX_TREE/source"
ln -sfn "$objs" "$NGINX_TREE/objs"
unset NGINX_BINARY NGINX_SOURCE_DIR NGINX_BUILD_DIR UNDER

made=$(tools/cargo.sh build --release --locked)
module=${made%%$'\n'*}
tools/check-module.sh "$module"
cmp -s "$module" "$objs/ngx_http_cors_module.so" || cp "$module" "$objs/ngx_http_cors_module.so"
