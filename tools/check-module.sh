#!/usr/bin/env bash
# A released module is stripped and exports what nginx looks up in it, nothing more: every other
# symbol could clash with another module's.
# tools/check-module.sh <module>
set -euo pipefail

expected=$'ngx_module_names\nngx_module_order\nngx_modules'
exported=$(nm -D --defined-only --format=just-symbols "$1" | LC_ALL=C sort)
if [ "$exported" != "$expected" ]; then
    printf 'error: %s exports other symbols than nginx looks up:\n' "$1" >&2
    diff <(echo "$expected") <(echo "$exported") >&2
    exit 1
fi

if [ -n "$(nm "$1" 2>/dev/null)" ] || readelf -S -W "$1" | grep -q '\.debug_'; then
    echo "error: $1 is not stripped" >&2
    exit 1
fi
