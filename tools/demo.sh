#!/usr/bin/env bash
# Serves nginx-conf/demo.conf until Ctrl-C. PORT=<number> moves its ports, 8080 to 8083, elsewhere.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

port=${PORT:-8080}
if ! [[ $port =~ ^[1-9][0-9]{0,4}$ ]] || ((port > 65532)); then
    fail "PORT is a number from 1 to 65532, not '$port'"
fi
for file in build/nginx build/ngx_http_cors_module.so; do
    [ -e "$file" ] || fail "$file is missing: make builds it"
done

page=127.0.0.1:$port
api=127.0.0.1:$((port + 1))
stranger=127.0.0.1:$((port + 2))
application=127.0.0.1:$((port + 3))

accepts() { # <address>
    (exec 3<>"/dev/tcp/${1/://}") 2>/dev/null
}

all_accept() {
    local address
    for address in "$page" "$api" "$stranger" "$application"; do
        accepts "$address" || return 1
    done
}

other_ports() {
    local other=9000
    ((port + 3 < other || port > other + 3)) || other=9100
    echo "the demo takes four ports, $port to $((port + 3)); for $other to $((other + 3)) instead: make run PORT=$other"
}

for address in "$page" "$api" "$stranger" "$application"; do
    ! accepts "$address" || fail "port ${address#*:} is taken: something answers at $address" "$(other_ports)"
done

prefix=$PWD/build/run/$port
mkdir -p "$prefix/logs"
ln -sfn "$PWD/build" "$prefix/modules"
ln -sfn "$PWD/nginx-conf/demo" "$prefix/demo"
: >"$prefix/logs/exchanges.jsonl"
sed -e 's/127\.0\.0\.1:808\([0-3]\)/<\1>/g' \
    -e "s/<0>/$page/g; s/<1>/$api/g; s/<2>/$stranger/g; s/<3>/$application/g" \
    nginx-conf/demo.conf >"$prefix/demo.conf"

# Workers that root starts would run as nobody, who may not read a checkout.
directives='daemon off;'
[ "$(id -u)" != 0 ] || directives+=' user root;'

# nginx takes a variable of this name for a list of sockets that it inherits.
env -u NGINX build/nginx -p "$prefix" -c "$prefix/demo.conf" -e stderr -g "$directives" &
nginx=$!
trap 'kill -TERM "$nginx" 2>/dev/null || true; wait "$nginx" || true' EXIT
trap 'exit 0' INT TERM HUP

for ((attempt = 0; attempt < 100; attempt++)); do
    [ -n "$(jobs -pr)" ] || fail 'nginx did not start, see above' "$(other_ports)"
    ! all_accept || break
    sleep 0.1
done
all_accept || fail 'nginx did not open its ports within ten seconds'

cat <<END

The demo is at  http://$page/

For another terminal:

  # May a script of the page send a DELETE? (a preflight)
  curl -i -X OPTIONS -H 'Origin: http://$page' -H 'Access-Control-Request-Method: DELETE' http://$api/notes/7

  # The request itself
  curl -i -X DELETE -H 'Origin: http://$page' http://$api/notes/7

  # The same question from a stranger's page
  curl -i -X OPTIONS -H 'Origin: http://$stranger' -H 'Access-Control-Request-Method: DELETE' http://$api/notes/7

Ctrl-C stops it. nginx writes its logs to ${prefix#"$PWD/"}/logs.
END

wait "$nginx" || true
fail 'nginx has ended by itself'
