#!/usr/bin/env bash
# Leaves in build/ an nginx and the module that fits it; with `test`, in build/test/ also the module with
# faults to inject. With `debug`, `valgrind` or `asan` it leaves all three below build/<this>/ instead.
# BUILD_DIR=<directory> takes the place of build/.
set -euo pipefail
cd "$(dirname "$0")/.."

directory=${BUILD_DIR:-build}

# By rename: a running nginx has the old file mapped and must keep it.
put() { # <file> <destination>
    mkdir -p "$(dirname "$2")"
    cmp -s "$1" "$2" || { install -m 755 "$1" "$2.new" && mv -f "$2.new" "$2"; }
}

make_in() { # <directory> [arguments]: the module and its nginx
    local made
    made=$(tools/cargo.sh build "${@:2}")
    mapfile -t made <<<"$made"
    # What was made for another nginx must not be found beside this one.
    cmp -s "${made[1]}" "$1/nginx" || rm -f "$1/test/"*.so
    put "${made[0]}" "$1/ngx_http_cors_module.so"
    put "${made[1]}" "$1/nginx"
}

make_faulty_in() { # <directory> [arguments]
    local made
    made=$(tools/cargo.sh build --features fault-injection "${@:2}")
    put "${made%%$'\n'*}" "$1/test/ngx_http_cors_module.so"
}

case ${1:-} in
'')
    make_in "$directory" --release
    ;;
test)
    make_in "$directory" --release
    make_faulty_in "$directory" --release
    ;;
debug)
    make_in "$directory" --release # brings nginx
    make_in "$directory/debug"
    make_faulty_in "$directory/debug"
    ;;
valgrind | asan)
    export UNDER=$1
    make_in "$directory/$1" --release
    make_faulty_in "$directory/$1" --release
    ;;
*)
    echo "error: nothing to build is called '$1'" >&2
    exit 1
    ;;
esac
