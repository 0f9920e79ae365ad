#!/usr/bin/env bash
# Builds the RPM package of the module, which `make packaging` has left the recipe for, and tries it beside a made-up nginx in a
# database of its own: an upgrade of nginx alone is refused. Needs rpmbuild, and nothing of Fedora's.
#   NGINX_SOURCE_DIR=<directory>  the nginx that it is for; else the vendored one
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{SOURCES,SPECS,root} "$work/home"
cp build/*-vendored.tar.gz "$work/SOURCES"
cp build/packaging/rpm/nginx-mod-http-cors.spec "$work/SPECS"
tar -x -C "$work/home" -f build/*-vendored.tar.gz --wildcards '*/vendor/nginx-src-*/nginx/*'
sources=$(realpath "${NGINX_SOURCE_DIR:-$(echo "$work"/home/*/vendor/nginx-src-*/nginx)}")
unset NGINX_SOURCE_DIR

# --nodeps: the build dependencies are those of another distribution. cargo finds no crate but those of the tarball; root can take
# the network away, too.
offline=()
[ "$(id -u)" != 0 ] || offline=(unshare --net)
mkdir "$work/cargo"
options=(--load "$repository/build/packaging/rpm/macros.nginxmods" -D "nginx_sources $sources" -D "_topdir $work" --nodeps)
CARGO_HOME=$work/cargo CARGO_NET_OFFLINE=true "${offline[@]}" rpmbuild -bb "${options[@]}" "$work/SPECS/nginx-mod-http-cors.spec" >"$work/built" 2>&1 ||
    fail "$(tail -n 40 "$work/built")"
module=$(find "$work/RPMS" -name 'nginx-mod-http-cors-[0-9]*.rpm')
if command -v rpmlint >/dev/null; then
    rpmlint --config "$repository/packaging/rpm/rpmlint.toml" "$work/SPECS/nginx-mod-http-cors.spec" "$module"
fi
rpm -qp --requires "$module"
files=$(rpm -qlp "$module")
grep -q '/nginx/modules/ngx_http_cors_module.so$' <<<"$files" || fail "$files"

# Packages that hold nothing but what they provide, as Fedora's nginx does.
version=$(rpm -qp --requires "$module" | sed -n 's/^nginx(abi) = //p')
[ -n "$version" ] || fail 'the package does not say which nginx it is for'
make_nginx() { # <version>
    cat >"$work/SPECS/nginx.spec" <<SPEC
Name: nginx-core
Version: $1
Release: 1
Summary: Stands in for nginx
License: BSD
Provides: nginx(abi) = $1
%description
%files
SPEC
    rpmbuild -bb -D "_topdir $work" "$work/SPECS/nginx.spec" >/dev/null 2>&1
    find "$work/RPMS" -name "nginx-core-$1-*.rpm"
}
database() { rpm --dbpath "$work/root" "$@"; }
nginx=$(make_nginx "$version")
later=$(make_nginx 999.0)

# The database has neither the C library nor anything else of Fedora's: what is not nginx is left aside.
for_nginx() { grep 'nginx(abi)' || true; }
database --initdb
database -i --justdb --nodeps "$nginx"
[ -z "$(database -i --justdb --test "$module" 2>&1 | for_nginx)" ] || fail 'the module does not fit its own nginx'
database -i --justdb --nodeps "$module"
refusal=$(database -U --justdb --test "$later" 2>&1) && fail 'nginx is upgraded without the module'
grep -q "nginx(abi) = $version is needed by (installed) nginx-mod-http-cors" <<<"$refusal" || fail "$refusal"
echo "the module is for nginx $version, and an upgrade of nginx alone is refused"
