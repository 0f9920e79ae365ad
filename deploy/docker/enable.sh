#!/bin/sh
# Has the configuration of an official image load the module. A controller that writes its own is told to by
# its snippets.
set -eu

if ! grep -qs '^load_module modules/ngx_http_cors' /etc/nginx/nginx.conf; then
    sed -i '1i load_module modules/ngx_http_cors_module.so;' /etc/nginx/nginx.conf
fi
nginx -t
