#!/usr/bin/env bash
# Tries the module in a fresh root of a Debian release, and writes what held into /root/share: for tools/matrix.sh.
# tools/in-release.sh test|package|install ...
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin DEBIAN_FRONTEND=noninteractive

share=/root/share
origin=https://app.example.com

holds() { # <fact> <value>
    printf '%s %s\n' "$1" "$2" | tee -a "$share/$stage.facts"
}

# Whether packages may start, reload and stop their servers.
services() { # allowed|denied
    printf '#!/bin/sh\nexit %s\n' "$([ "$1" = allowed ] && echo 0 || echo 101)" >/usr/sbin/policy-rc.d
    chmod 755 /usr/sbin/policy-rc.d
}

# What cargo makes outlives this root.
kept_target() {
    mkdir -p "$share/target"
    [ -e target ] || ln -s "$share/target" target
}

# With the release's nginx, or the vendored one.
test_it() {
    kept_target
    if grep -qsx vendored "$share/column"; then
        unset NGINX_BINARY
    else
        apt-get install -y --no-install-recommends nginx
        export NGINX_BINARY=/usr/sbin/nginx
    fi
    tools/require.sh build test
    tools/build.sh test
    tools/check-module.sh build/ngx_http_cors_module.so
    holds nginx "$(build/nginx -v 2>&1 | sed 's|.*nginx/\([0-9.]*\).*|\1|')"
    holds builds yes
    local status=0
    cargo test -p cors-tests --no-fail-fast 2>&1 | tee "$share/tests.log" || status=$?
    holds tests "$(awk '/^test result: / { passed += $4; failed += $6 }
        END { print failed ? failed "_failed" : passed "_passed" }' "$share/tests.log")"
    return "$status"
}

package_it() {
    kept_target
    apt-get install -y --no-install-recommends nginx-dev lintian
    # Shares with the build above what does not depend on how nginx was configured.
    local target=$PWD/target/deb
    [ -z "${NGINX_BINARY:-}" ] || target=$(tools/nginx-tree.sh)
    CARGO_TARGET_DIR=$target make deb
    cp build/*.deb "$share"
    holds package yes
    lintian --version
    lintian --info --fail-on error,warning build/*.deb
    holds lint clean
}

# The header of a response; what grep leaves unread would make curl fail.
ask() { # [arguments for curl]
    curl -sS -D - -o /dev/null http://127.0.0.1:8765/ -H "Origin: $origin" "$@"
}

preflight() {
    ask -X OPTIONS -H 'Access-Control-Request-Method: GET'
}

has() { # <start of a line>
    grep -i "^$1"
}

served() {
    preflight | has "access-control-allow-origin: $origin"
    ask -f | has "access-control-allow-origin: $origin"
}

install_it() {
    apt-get install -y --no-install-recommends curl procps
    # An older version of the package, to be upgraded: as it is, but for the number.
    local new old
    new=$(realpath "$share"/*.deb)
    old=$(mktemp -d)
    dpkg-deb -R "$new" "$old/content"
    sed -i 's/^Version: .*/Version: 0.0.1-1/' "$old/content/DEBIAN/control"
    dpkg-deb -b "$old/content" "$old/old.deb"
    chmod -R a+rX "$old"

    apt-get install -y "$old/old.deb"
    nginx -t
    holds installed yes

    cat >/etc/nginx/sites-available/default <<END
server {
    listen 127.0.0.1:8765;
    root /usr/share/nginx/html;
    location / {
        cors on;
        cors_allow_origin $origin;
    }
}
END
    ls -l /etc/nginx/modules-enabled /usr/share/nginx/html
    nginx -t
    services allowed
    service nginx start || nginx
    served
    holds served yes

    # Asked all the time while the package is upgraded: every answer is one, and has the header.
    : >"$share/missed"
    touch "$old/asking"
    while [ -e "$old/asking" ]; do
        preflight 2>&1 | has access-control-allow-origin >/dev/null || date +%T.%N >>"$share/missed"
        sleep 0.02
    done &
    local before
    before=$(grep -c . <(pgrep -f 'nginx: worker'))
    apt-get install -y "$new"
    sleep 3
    rm "$old/asking"
    wait
    [ ! -s "$share/missed" ]
    [ "$before" -gt 0 ]
    served
    nginx -t
    # The processes that serve now have the new file mapped, not the one that was replaced.
    local pid
    for pid in $(pgrep -f 'nginx: worker process$'); do
        grep 'ngx_http_cors_module' "/proc/$pid/maps"
        if grep -q 'ngx_http_cors_module.*(deleted)' "/proc/$pid/maps"; then exit 1; fi
    done
    holds upgraded yes

    # A preflight has no token, and is answered before a script of another dynamic module asks for one.
    if apt-get install -y --no-install-recommends libnginx-mod-http-lua; then
        sed -i 's|location / {|location / {\n        access_by_lua_block { return ngx.exit(401) }|' /etc/nginx/sites-available/default
        nginx -t
        nginx -s reload
        sleep 1
        preflight | has 'HTTP/1.1 204'
        ask | has 'HTTP/1.1 401'
        sed -i '/access_by_lua/d' /etc/nginx/sites-available/default
        nginx -s reload
        holds before_lua yes
    fi

    # Directives are still in use when the package goes: what runs must go on.
    apt-get remove -y libnginx-mod-http-cors
    sleep 1
    ask -f | has 'HTTP/1.1 200'
    sed -i '/cors/d' /etc/nginx/sites-available/default
    nginx -t
    service nginx restart || { nginx -s quit; sleep 1; nginx; }
    sleep 1
    ask -f | has 'HTTP/1.1 200'
    apt-get purge -y libnginx-mod-http-cors
    [ -z "$(find /etc/nginx -name '*cors*')" ]
    [ ! -e /usr/lib/nginx/modules/ngx_http_cors_module.so ]
    nginx -t
    service nginx stop || nginx -s stop
    holds removed yes
}

services denied
apt-get update
for stage; do
    "${stage}_it"
done
