#!/usr/bin/env bash
# Prints a table of what holds on each Debian release, from trying it in fresh roots: the module is built and
# tested with the release's nginx, packaged, installed, asked, upgraded and removed.
# tools/matrix.sh [<codename>|vendored ...]; as root on Debian, with rustup and the package debootstrap.
#   KEEP=<directory>   keeps the roots' bases, what cargo made and all logs, so that the next run takes less long
set -uo pipefail
cd "$(dirname "$0")/.." || exit

[ $# -gt 0 ] || set -- vendored bookworm trixie sid
keep=${KEEP:-$(mktemp -d)}
mkdir -p "$keep"
keep=$(realpath "$keep")
export BASES=$keep

failed=0
rows=()
for column; do
    export SHARE=$keep/$column
    mkdir -p "$SHARE"
    echo "$column" >"$SHARE/column"
    rm -f "$SHARE"/*.deb "$SHARE"/*.facts
    export RELEASE=$column
    [ "$column" != vendored ] || unset RELEASE

    declare -A fact=([nginx]=- [builds]=no [tests]=no [package]=no [lint]=no [installed]=no [served]=no [upgraded]=no [removed]=no)
    if [ "$column" = vendored ]; then
        for name in package lint installed served upgraded removed; do fact[$name]=-; done
        tools/clean-root.sh tools/in-release.sh test >"$SHARE/build.log" 2>&1
    else
        tools/clean-root.sh tools/in-release.sh test package >"$SHARE/build.log" 2>&1
        [ -z "$(compgen -G "$SHARE/*.deb")" ] ||
            tools/clean-root.sh tools/in-release.sh install >"$SHARE/install.log" 2>&1
    fi
    while read -r name value; do
        fact[$name]=$value
    done < <(cat "$SHARE"/*.facts 2>/dev/null)
    rows+=("$(printf '%-10s' "$column")$(printf ' %-9s' "${fact[nginx]}" "${fact[builds]}")$(printf ' %-10s' "${fact[tests]}")$(
        printf ' %-9s' "${fact[package]}" "${fact[lint]}" "${fact[installed]}" "${fact[served]}" "${fact[upgraded]}" "${fact[removed]}")")
    case " ${fact[*]} " in
    *' no '* | *failed*)
        failed=1
        echo "$column: see $SHARE/build.log and install.log" >&2
        keep_logs=1
        ;;
    esac
done

printf '%-10s %-9s %-9s %-10s %-9s %-9s %-9s %-9s %-9s %-9s\n' \
    release nginx builds tests package lintian installed served upgraded removed
printf '%s\n' "${rows[@]}"
[ -n "${KEEP:-}${keep_logs:-}" ] || rm -rf "$keep"
exit "$failed"
