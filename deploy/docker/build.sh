#!/usr/bin/env bash
# Builds the module for the nginx of an official image. Its sources are those that nginx.org publishes for this
# version, or those in NGINX_SOURCE_DIR.
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(nginx -v 2>&1 | sed -n 's|.*nginx/\([0-9.]*\).*|\1|p')
if [ -z "${NGINX_SOURCE_DIR:-}" ]; then
    export NGINX_SOURCE_DIR=/tmp/nginx-$version
    curl --proto '=https' --tlsv1.2 -fsS "https://nginx.org/download/nginx-$version.tar.gz" | tar -xz -C /tmp
fi
NGINX_BINARY=$(command -v nginx)
export NGINX_BINARY
make all
