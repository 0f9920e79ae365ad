#!/bin/sh
# Has the configuration of an official image load the module, after all others: a preflight is then answered
# before another module asks it for what it never carries. A controller that writes its own configuration is
# told to by its snippets.
set -eu

load='load_module modules/ngx_http_cors_module.so;'
conf=/etc/nginx/nginx.conf
if [ ! -e "$conf" ]; then
    printf '%s\nevents {}\n' "$load" >/tmp/enable.conf
    nginx -t -c /tmp/enable.conf
    rm /tmp/enable.conf
    exit
fi
if ! grep -q '^load_module modules/ngx_http_cors' "$conf"; then
    last=$(grep -n '^load_module' "$conf" | tail -n 1 | cut -d : -f 1)
    if [ -n "$last" ]; then
        sed -i "${last}a $load" "$conf"
    else
        sed -i "1i $load" "$conf"
    fi
fi
nginx -t
