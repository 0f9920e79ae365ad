#!/usr/bin/env bash
# Installs what is missing on this machine, and nothing else:
# tools/require.sh build|test|lint|nginx|addon|deb|test-deb|matrix|image|rpm|engines|valgrind|asan|bench|load|peers|conformance|<package>=<version> ...
# A shell script, as it runs before cargo can compile anything: a fresh machine has no linker.
# Costs no network and needs no privileges when everything is there.
set -euo pipefail

missing=()

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

installed() { # <package>: its version, nothing on systems without dpkg
    # shellcheck disable=SC2016 # dpkg-query expands it
    dpkg-query -W -f='${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | sed -n 's/^installed //p'
}

# A package that dpkg does not have is not missed if a probe finds what it would bring: the rest of
# the world has other packages, and some build their own.
need() { # <package> <probe> [arguments]
    local package=$1
    shift
    [ -n "$(installed "$package")" ] || "$@" >/dev/null 2>&1 || missing+=("$package")
}

need_version() { # <package>=<version>
    [ "$(installed "${1%%=*}")" = "${1#*=}" ] || missing+=("$1")
}

header() {
    read -ra compiler <<<"${CC:-cc}"
    printf '#include <%s>\n' "$1" | "${compiler[@]}" -DPCRE2_CODE_UNIT_WIDTH=8 -E - >/dev/null
}

# protoc, and the definitions that it comes with.
protobuf() {
    local directory status=0
    directory=$(mktemp -d)
    echo 'syntax = "proto3"; import "google/protobuf/descriptor.proto";' >"$directory/probe.proto"
    "${PROTOC:-protoc}" -I "$directory" --descriptor_set_out=/dev/null probe.proto || status=1
    rm -r "$directory"
    return "$status"
}

# The runtime of AddressSanitizer, which compilers do not always bring.
sanitizer() {
    read -ra compiler <<<"${CC:-cc}"
    echo 'int main(void) { return 0; }' | "${compiler[@]}" -fsanitize=address -x c -o /dev/null -
}

# Not libclang-cpp.so, which LLVM's tools bring and bindgen cannot use.
libclang() {
    local directory
    for directory in "${LIBCLANG_PATH:-/nowhere}" '/usr/lib*' '/usr/lib*/*' '/usr/lib/llvm*/lib*'; do
        compgen -G "$directory/libclang.so*" || compgen -G "$directory/libclang-[0-9]*.so*" || continue
        return
    done
    return 1
}

certificates() {
    [ -e "${SSL_CERT_FILE:-/nowhere}" ] || [ -e /etc/ssl/certs/ca-certificates.crt ] ||
        [ -e /etc/pki/tls/certs/ca-bundle.crt ] || [ -e /etc/ssl/ca-bundle.pem ] || [ -e /etc/ssl/cert.pem ]
}

# Chromium isolates its pages in user namespaces, or by a helper where the kernel denies them. Root does without.
sandbox() {
    [ "$(id -u)" = 0 ] || unshare --user true
}

for job; do
    case $job in
    build)
        command -v cargo >/dev/null || fail 'cargo is missing: install Rust from https://rustup.rs'
        need ca-certificates certificates # cargo fetches crates over TLS
        need gcc command -v cc
        need libc6-dev header stdlib.h
        need libclang-dev libclang # bindgen reads nginx's headers with it
        need libpcre2-dev header pcre2.h
        need libprotobuf-dev protobuf # nginx-cors speaks gRPC with etcd
        need libssl-dev header openssl/ssl.h
        need protobuf-compiler command -v "${PROTOC:-protoc}"
        need zlib1g-dev header zlib.h
        ;;
    addon) need curl command -v curl ;;
    lint) need shellcheck command -v shellcheck ;;
    nginx) need nginx test -x /usr/sbin/nginx ;;
    test-deb)
        need autopkgtest command -v autopkgtest
        need lintian command -v lintian
        ;;
    matrix) need debootstrap command -v debootstrap ;;
    engines)
        need etcd-client command -v etcdctl
        need etcd-server command -v etcd
        need postgresql compgen -G '/usr/lib/postgresql/*/bin/initdb' # in no path
        need prometheus command -v promtool
        need redis-server command -v redis-server
        need systemd command -v systemd-analyze
        need util-linux command -v unshare
        ;;
    image)
        need buildah command -v buildah
        need debootstrap command -v debootstrap
        ;;
    test)
        need chromium command -v chromium
        need chromium-driver command -v chromedriver
        need chromium-sandbox sandbox
        need curl command -v curl
        need gettext-base command -v envsubst
        need prometheus command -v prometheus # and its promtool
        ;;
    deb)
        need build-essential false # dpkg-buildpackage asks for the package itself
        need debhelper command -v dh
        need go-md2man false # named in Build-Depends, as the next two
        need libprotobuf-dev false
        need protobuf-compiler false
        need dpkg-dev command -v dpkg-buildpackage
        need nginx-dev test -e /usr/share/nginx/src/conf_flags
        ;;
    rpm)
        need rpm command -v rpmbuild
        need rpmlint command -v rpmlint
        ;;
    valgrind) need valgrind command -v valgrind ;;
    asan) need libgcc-12-dev sanitizer ;;
    bench)
        need valgrind command -v valgrind
        need util-linux command -v setpriv
        ;;
    load) need wrk command -v wrk ;;
    peers)
        need wrk command -v wrk
        # Packaged for one nginx, and measured with that one.
        need nginx false
        need libnginx-mod-http-headers-more-filter false
        need libnginx-mod-http-js false
        need libnginx-mod-http-lua false
        need apache2 false
        need libapache2-mod-perl2 false
        need haproxy false
        ;;
    conformance)
        # Packaged for one nginx, and tried in that one.
        need nginx false
        need nginx-dev test -e /usr/share/nginx/src/conf_flags
        need libnginx-mod-http-headers-more-filter false
        need libnginx-mod-http-lua false
        need haproxy false
        ;;
    *=*) need_version "$job" ;;
    *) fail "no such job: $job" ;;
    esac
done

if [ ${#missing[@]} -gt 0 ]; then
    hint="missing packages, by their names in Debian 12: ${missing[*]}"
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "$hint" 'neither root nor sudo here: install them by hand'
        as_root=(sudo)
    fi
    command -v apt-get >/dev/null || fail "$hint" 'no apt-get here: install them by hand'
    # Nothing here is installed to be a service. Debian lets a policy forbid packages to start theirs.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap '"${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    # Another apt may hold the lock, at boot for example: wait for it.
    apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
    # One unreachable repository among several is no reason to stop: installing will tell.
    "${apt[@]}" update || true
    "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null || fail "$hint"
fi

case " $* " in
*' build '*) header stdlib.h 2>/dev/null || fail "the C compiler '${CC:-cc}' does not work; the variable CC may name another" ;;
esac
