#!/usr/bin/env bash
# cargo for the module, which is always built for one certain nginx: the one that NGINX_BINARY names, else
# the vendored one. NGINX_TREE=<directory> has one as source/ and objs/ that is configured, and perhaps not built.
# UNDER=valgrind or UNDER=asan stands for a vendored one that this tool can look into.
# Each has a target directory of its own, and the module with faults one below it: switching rebuilds nothing.
# tools/cargo.sh <subcommand> [arguments]; prints the module that it made, if any, and the nginx for it
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

# The make that builds nginx is not to take up the flags and the job server of ours.
unset MAKEFLAGS MFLAGS

vendored=()
target=()
if [ -n "${NGINX_BINARY:-}" ]; then
    [ -z "${UNDER:-}" ] || fail "$UNDER needs an nginx that is built for it: leave out NGINX_BINARY"
    nginx=$(command -v "$NGINX_BINARY")
    tree=$(tools/nginx-tree.sh)
elif [ -n "${NGINX_TREE:-}" ]; then
    tree=$NGINX_TREE
    nginx=$tree/objs/nginx
else
    [ -z "${NGINX_SOURCE_DIR:-}${NGINX_BUILD_DIR:-}" ] ||
        fail 'NGINX_SOURCE_DIR and NGINX_BUILD_DIR describe the nginx of NGINX_BINARY, which is not set'
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
    tree=$(realpath -m "${CARGO_TARGET_DIR:-target}/${UNDER:-vendored}")
    nginx=$tree/objs/nginx
    case ${UNDER:-} in
    '') ;;
    valgrind | asan)
        # What comes from a pool is then allocated, freed and watched by itself.
        export NGX_CFLAGS='-DNGX_DEBUG_PALLOC=1'
        # Reports name functions and lines.
        export CARGO_PROFILE_RELEASE_DEBUG=line-tables-only CARGO_PROFILE_RELEASE_STRIP=none
        ;;&
    asan)
        host=$(rustc -vV | sed -n 's/^host: //p')
        # With a target the flags leave build scripts alone, which have no runtime to link with.
        target=(--target "$host")
        # rustc links no runtime into a module: the one of nginx serves both.
        export RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Zsanitizer=address -Cforce-frame-pointers=yes'
        export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16
        NGX_CFLAGS+=' -fsanitize=address -fno-omit-frame-pointer'
        export NGX_LDFLAGS='-fsanitize=address'
        # The small programs that configure runs leak.
        export ASAN_OPTIONS=detect_leaks=0
        ;;&
    valgrind | asan) ;;
    *) fail "UNDER is valgrind or asan, not '$UNDER'" ;;
    esac
fi

directory=$tree
[ -z "${NGINX_TREE:-}" ] || directory=${CARGO_TARGET_DIR:-$tree}
case " $* " in
*' fault-injection '*) directory=$tree/faults ;;
*' --release '*) [ -n "${NGINX_BINARY:-}${NGINX_TREE:-}" ] || vendored=(--features vendored) ;;
esac
if [ ${#vendored[@]} -gt 0 ]; then
    # nginx-sys takes even an empty value for a path.
    unset NGINX_SOURCE_DIR NGINX_BUILD_DIR
else
    [ -e "$tree/objs" ] || fail "no nginx in $tree yet: the release build of the plain module makes it"
    NGINX_SOURCE_DIR=$(realpath "$tree/source")
    NGINX_BUILD_DIR=$(realpath "$tree/objs")
    export NGINX_SOURCE_DIR NGINX_BUILD_DIR
fi

# Where things lie does not show in what is made of them. What watches the module is to find its sources, though.
if [ -z "${UNDER:-}" ]; then
    home=${CARGO_HOME:-$HOME/.cargo}
    read -ra flags <<<"${RUSTFLAGS:-}"
    flags+=("--remap-path-prefix=$home=cargo" "--remap-path-prefix=$(realpath "$home")=cargo"
        "--remap-path-prefix=$PWD=." "--remap-path-prefix=$directory=target")
    CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo "${flags[*]}")
    export CARGO_ENCODED_RUSTFLAGS
fi

subcommand=$1
shift
status=0
made=$(cargo "$subcommand" -p ngx-http-cors --target-dir "$directory" "${target[@]}" "${vendored[@]}" \
    --message-format=json-render-diagnostics "$@") || status=$?

if [ ${#vendored[@]} -gt 0 ]; then
    out=$(sed -n '/"reason":"build-script-executed".*#nginx-sys@/s/.*"out_dir":"\([^"]*\)".*/\1/p' <<<"$made")
    if [ -n "$out" ]; then
        # cargo watches these two for changes and takes their making for one: the next run would build anew.
        touch -r "$out/../invoked.timestamp" "$out/objs/Makefile" "$out/objs/ngx_auto_config.h"
        source=$(sed -n 's/^"\([^"]*\)"|.*/\1/p' "$out/objs/last-build-info")
        ln -sfn "$source" "$tree/source"
        ln -sfn "$out/objs" "$tree/objs"
    fi
fi
[ "$status" = 0 ] || exit "$status"

module=$(sed -n '/"reason":"compiler-artifact".*"name":"ngx_http_cors_module"/s/.*"filenames":\["\([^"]*\.so\)".*/\1/p' <<<"$made")
[ -z "$module" ] || printf '%s\n' "$module" "$nginx"
