#!/usr/bin/env bash
# Prints a directory that holds, as source/ and objs/, the configured sources of the nginx NGINX_BINARY.
# nginx refuses a module of another version or configuration, so that is found out here, before the build.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

binary=$(command -v "$NGINX_BINARY") || fail "NGINX_BINARY is no executable: $NGINX_BINARY"
version=$("$binary" -v 2>&1 | sed -n 's/^nginx version: \([^ ]*\).*/\1/p')
[ -n "$version" ] || fail "NGINX_BINARY is not nginx: $NGINX_BINARY"
read -ra compiler <<<"${CC:-cc}"

# Where the sources are, and how to configure them.
if [ -n "${NGINX_SOURCE_DIR:-${NGINX_BUILD_DIR:-}}" ]; then
    source=${NGINX_SOURCE_DIR:-$NGINX_BUILD_DIR/..}
    arguments=$("$binary" -V 2>&1 | sed -n 's/^configure arguments: //p')
    eval "arguments=($arguments)" # nginx prints them quoted for a shell
else
    # Debian's nginx-dev holds the sources with all of Debian's patches: one version fits, no other.
    package=$(dpkg-query -S "$(realpath "$binary")" 2>/dev/null) ||
        fail "no package of this system has $binary: name the directory of its sources, NGINX_SOURCE_DIR=..."
    package_version=$(dpkg-query -W -f='${Version}' "${package%%:*}")
    tools/require.sh "nginx-dev=${package_version%+b[0-9]*}" >&2 ||
        fail "no nginx-dev to be had for $binary: name the directory of its sources, NGINX_SOURCE_DIR=..."
    source=/usr/share/nginx/src
    # shellcheck disable=SC1091 # part of nginx-dev
    source "$source/conf_flags"
    arguments=("${NGX_CONF_FLAGS[@]}")
fi

[ -f "$source/src/core/nginx.h" ] || fail "no sources of nginx: $source"
source=$(realpath "$source")
source_version=$(printf '#include "core/nginx.h"\nNGINX_VER\n' | "${compiler[@]}" -E -P -I "$source/src" - | sed 's/[" ]//g')
[ "$source_version" = "$version" ] ||
    fail "$binary is $version, but $source is $source_version: name the sources of $version, NGINX_SOURCE_DIR=..."

# The directory is named by all that decides what is in it.
inputs=$(cat "$binary" <(find "$source/src" -name '*.h' -exec cat {} +) <(echo "$PWD ${NGINX_BUILD_DIR:-}") | sha256sum)
tree=$(realpath -m "${CARGO_TARGET_DIR:-target}/${version//[!0-9a-z.]/-}-${inputs:0:12}")

if [ -n "${NGINX_BUILD_DIR:-}" ]; then
    mkdir -p "$tree"
    ln -sfn "$source" "$tree/source"
    ln -sfn "$(realpath "$NGINX_BUILD_DIR")" "$tree/objs"
elif [ ! -e "$tree/configured" ]; then
    # Not part of what a module must fit, and often not there to be configured: modules with a .so of
    # their own, and the directories that libraries were linked in from.
    flags=()
    for argument in "${arguments[@]}"; do
        case $argument in
        *=dynamic | --add-dynamic-module=* | --with-openssl=* | --with-pcre=* | --with-zlib=* | --builddir=*) ;;
        *) flags+=("$argument") ;;
        esac
    done
    rm -rf "$tree/source" "$tree/objs"
    mkdir -p "$tree/source"
    # A copy, since configure writes beside the sources.
    cp -R "$source/auto" "$source/src" "$tree/source"
    [ ! -e "$source/configure" ] || cp "$source/configure" "$tree/source/auto/configure"
    (cd "$tree/source" && auto/configure "${flags[@]}" --builddir="$tree/objs") >"$tree/configure.log" 2>&1 ||
        fail "$(tail -n 5 "$tree/configure.log")" \
            "$source cannot be configured as $binary was: configure it yourself and name the result, NGINX_BUILD_DIR=..."
    touch "$tree/configured"
fi

# shellcheck disable=SC2016 # make expands it
read -ra cflags < <(printf 'include %s\ncflags:;@echo $(CFLAGS) $(ALL_INCS)\n' "$tree/objs/Makefile" | make -s -f - cflags)
signature=$(cd "$tree/source" && printf '#include <ngx_config.h>\n#include <ngx_core.h>\nsignature NGX_MODULE_SIGNATURE\n' |
    "${compiler[@]}" "${cflags[@]}" -E -P - | sed -n '/^signature /s/signature\|[" ]//gp')
[ -n "$signature" ] || fail "the headers in $tree/objs cannot be read"
grep -aqF "$signature" "$binary" ||
    fail "$binary was configured as $(grep -aoE -m1 '[0-9],[0-9],[0-9],[01]{20,}' "$binary" | head -n1), but its sources as $signature" \
        "configure the sources with what '$binary -V' prints and name the result, NGINX_BUILD_DIR=..."

echo "$tree"
