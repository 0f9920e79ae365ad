#!/usr/bin/env bash
# Has pkg-oss, with which nginx.org makes its packages, and the recipe that `make packaging` has left, build the packages of nginx and of the module in a fresh root without a
# network; installs both, has them answer a preflight, and sees nginx refused without its module. Then once more as docker-nginx
# does it: by pkg-oss's build_module.sh, which makes a recipe of its own. As root on Debian, with debootstrap and rustup.
#   PKG_OSS=<directory>           a checkout of github.com/nginx/pkg-oss
#   XSLSCRIPT=<directory>         a checkout of github.com/nginx/xslscript
#   NGINX_SOURCE_DIR=<directory>  the sources of the nginx to be packaged
#   RELEASE=, BASES=              as for tools/clean-root.sh
set -euo pipefail
cd "$(dirname "$0")/.."

: "${PKG_OSS:?names no checkout of pkg-oss}" "${XSLSCRIPT:?names no checkout of xslscript}"
: "${NGINX_SOURCE_DIR:?names no sources of nginx}"
nginx=$NGINX_SOURCE_DIR
unset NGINX_SOURCE_DIR MAKEFLAGS MFLAGS
version=$(sed -n 's/^#define NGINX_VERSION *"\(.*\)"/\1/p' "$nginx/src/core/nginx.h")

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
mkdir -p "$work/share" "$work/nginx-$version"
cp -R "$PKG_OSS" "$work/share/pkg-oss"
cp "$XSLSCRIPT/xslscript.pl" "$work/share"
cp -R build/packaging/pkg-oss/. "$work/share/pkg-oss"
mkdir "$work/share/cors"
tar -x -C "$work/share/cors" --strip-components=1 -f build/*-vendored.tar.gz

# What pkg-oss would download.
tarballs=$work/share/pkg-oss/contrib/tarballs
cp build/*-vendored.tar.gz "$tarballs"
cp -R "$nginx/." "$work/nginx-$version"
# A release of nginx has these, its repository has not.
touch "$work/nginx-$version"/CHANGES{,.ru}
tar -c -z -C "$work" -f "$tarballs/nginx-$version.tar.gz" "nginx-$version"
about=$work/share/pkg-oss/contrib/src/nginx
sed -i "s/^NGINX_VERSION := .*/NGINX_VERSION := $version/" "$about/version"
(cd "$tarballs" && sha512sum "nginx-$version.tar.gz") >"$about/SHA512SUMS"
rm -f "$about"/*.patch

# shellcheck disable=SC2016 # the shell in the root expands it
SHARE=$work/share tools/clean-root.sh bash -euxc '
    export DEBIAN_FRONTEND=noninteractive PATH=$PATH:/root/.cargo/bin XSLS=/root/share/xslscript.pl
    apt-get update
    apt-get install -y --no-install-recommends build-essential curl debhelper devscripts file git iproute2 libclang-dev \
        libpcre2-dev libparse-recdescent-perl libssl-dev libxml2-utils lsb-release procps quilt unzip wget xsltproc zlib1g-dev
    chmod +x "$XSLS"
    cd /root/share/pkg-oss/debian
    unshare --net make base module-cors
    mkdir /root/packages
    cp debuild-base/*.deb debuild-module-cors/*.deb /root/packages

    printf "#!/bin/sh\nexit 101\n" >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
    apt-get install -y /root/packages/nginx_*.deb /root/packages/nginx-module-cors_*.deb
    serves() {
        cat >/etc/nginx/nginx.conf <<CONF
load_module modules/ngx_http_cors_module.so;
events {}
http {
    server {
        listen unix:/run/cors.socket;
        location / {
            cors on;
            cors_allow_origin https://app.example.com;
        }
    }
}
CONF
        nginx
        curl -sS -i -X OPTIONS --unix-socket /run/cors.socket http://localhost/ \
            -H "Origin: https://app.example.com" -H "Access-Control-Request-Method: GET" | tee /root/answer
        nginx -s quit
        grep -qi "^access-control-allow-origin: https://app.example.com" /root/answer
    }
    serves
    # Another nginx does not provide what the package of the module asks for: both together cannot be had.
    dpkg-deb -R /root/packages/nginx_*.deb /root/later
    sed -i -e "s/^Version: .*/Version: 999-1/" -e "s/nginx-r[0-9.]*/nginx-r999/g" /root/later/DEBIAN/control
    dpkg-deb -b /root/later /root/later.deb
    apt-get -s install /root/later.deb | grep -A 3 REMOVED | grep -w nginx-module-cors
    apt-get purge -y nginx-module-cors

    # As docker-nginx. The script clones pkg-oss, finds the tarball of nginx in it, and says what it makes of config.
    cd /root/share/pkg-oss
    rm -rf .git debian/debuild-* debian/Makefile.module-cors
    git init -q .
    git config --global user.name test
    git config --global user.email test@localhost
    git config --global --add safe.directory "*"
    git add --force .
    git commit -qm pkg-oss
    git config --global url."file:///root/share/pkg-oss".insteadOf https://github.com/nginx/pkg-oss
    mkdir /root/made
    cd /root
    unshare --net bash -x /root/share/pkg-oss/build_module.sh -v '"$version"' -f -s -y -o /root/made -n cors /root/share/cors >/root/log 2>&1 ||
        { tail -n 50 /root/log; exit 1; }
    ! grep "static module" /root/log
    apt-get install -y /root/made/nginx-module-cors_*.deb
    serves'
echo "pkg-oss and docker-nginx package the module for nginx $version"
