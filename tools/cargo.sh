#!/usr/bin/env bash
# cargo for the module, which is always built for one certain nginx: the one that NGINX_BINARY names,
# else the vendored one. Each has a target directory of its own, so that switching rebuilds nothing.
# tools/cargo.sh <subcommand> [arguments]
set -euo pipefail
cd "$(dirname "$0")/.."

# The make that builds nginx is not to take up the flags and the job server of ours.
unset MAKEFLAGS MFLAGS

features=()
if [ -n "${NGINX_BINARY:-}" ]; then
    tree=$(tools/nginx-tree.sh)
    export NGINX_SOURCE_DIR=$tree/source NGINX_BUILD_DIR=$tree/objs
else
    if [ -n "${NGINX_SOURCE_DIR:-}${NGINX_BUILD_DIR:-}" ]; then
        echo 'error: NGINX_SOURCE_DIR and NGINX_BUILD_DIR describe the nginx of NGINX_BINARY, which is not set' >&2
        exit 1
    fi
    # nginx-sys takes even an empty value for a path.
    unset NGINX_SOURCE_DIR NGINX_BUILD_DIR
    tree=${CARGO_TARGET_DIR:-target}/vendored
    features=(--features vendored)
    # Added to what the crate nginx-src asks for: compat, threads, ssl, v2, realip and stream. The prefix
    # keeps this nginx away from an installed one, and has it configured anew where the checkout moved.
    export NGX_CONFIGURE_ARGS="${NGX_CONFIGURE_ARGS:-\
        --prefix=$PWD/build \
        --with-debug \
        --with-http_addition_module \
        --with-http_auth_request_module \
        --with-http_dav_module \
        --with-http_gunzip_module \
        --with-http_gzip_static_module \
        --with-http_mp4_module \
        --with-http_secure_link_module \
        --with-http_slice_module \
        --with-http_stub_status_module \
        --with-http_sub_module \
        --with-http_v3_module}"
fi

subcommand=$1
shift
exec cargo "$subcommand" -p ngx-http-cors --target-dir "$tree" "${features[@]}" "$@"
