#!/usr/bin/env bash
# Has nginx's own build make the module, as ./configure --add-dynamic-module= does, installs both, and serves
# a request; and sees --add-module refused. The sources are those of the vendored nginx.
set -euo pipefail
cd "$(dirname "$0")/.."
repository=$PWD

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

cargo xtask build
work=$(mktemp -d)
trap '[ ! -e "$work/run/nginx.pid" ] || kill "$(cat "$work/run/nginx.pid")"; rm -rf "$work"' EXIT
unset MAKEFLAGS MFLAGS

# configure writes beside the sources. Those of a release have it at the top.
cp -R target/vendored/source/. "$work/nginx"
cd "$work/nginx"
configure=auto/configure
[ ! -e configure ] || configure=./configure

if "$configure" --add-module="$repository" >"$work/refused" 2>&1; then
    fail '--add-module is not refused'
fi
grep -q 'can only be built with --add-dynamic-module' "$work/refused" || fail "$(cat "$work/refused")"

# Shares what cargo made of all that is not about nginx.
export CARGO_TARGET_DIR=$repository/target/vendored
"$configure" --prefix="$work/installed" --with-compat --with-threads --with-http_ssl_module \
    --add-dynamic-module="$repository" >"$work/configured" || fail "$(tail "$work/configured")"
make -j "$(nproc)" >"$work/made" || fail "$(tail "$work/made")"
make modules
make install >/dev/null

# Nothing of the module is in nginx, and nothing of it but what nginx looks up in it is seen outside.
(cd "$repository" && cargo xtask check-module "$work/installed/modules/ngx_http_cors_module.so")
! nm "$work/installed/sbin/nginx" | grep -i cors || fail 'nginx itself has symbols of the module'

mkdir -p "$work/run"
cat >"$work/run/nginx.conf" <<END
load_module modules/ngx_http_cors_module.so;
pid $work/run/nginx.pid;
error_log $work/run/error.log;
events {}
http {
    access_log off;
    server {
        listen unix:$work/run/socket;
        location / {
            cors on;
            cors_allow_origin https://app.example.com;
        }
    }
}
END
env -u NGINX "$work/installed/sbin/nginx" -c "$work/run/nginx.conf"
answer=$(curl -sS -i -X OPTIONS --unix-socket "$work/run/socket" http://localhost/ \
    -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: GET')
grep -qi '^access-control-allow-origin: https://app.example.com' <<<"$answer" || fail "$answer"
echo 'the module of nginx'\''s own build serves; --add-module is refused'
