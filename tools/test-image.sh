#!/usr/bin/env bash
# Builds deploy/docker/Dockerfile with buildah, and has the image answer a preflight: as root on Debian, with rustup
# and the packages buildah and debootstrap.
#   BASE=<image>       is what the Dockerfile begins with; else a likeness of the official image is made, of a
#                      fresh Debian root and the vendored sources of nginx
#   BASES=<directory>  keeps what debootstrap made, for the next run to start from
set -euo pipefail
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
# As little as can be is asked of the machine, which may be a container itself.
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot
images() { buildah --root "$work/images" --runroot "$work/run" "$@"; }

options=(--build-arg RUN_AS=root)
if [ -n "${BASE:-}" ]; then
    base=$BASE
else
    base=localhost/like-nginx
    cargo xtask build
    mkdir -p "$work/share"
    cp -RL target/vendored/source "$work/share/nginx"
    SHARE=$work/share tools/clean-root.sh deploy/docker/stand-in.sh
    made=$(images from scratch)
    images add --quiet "$made" "$work/share/base.tar" / >/dev/null
    images config --cmd 'nginx -g "daemon off;"' "$made"
    images commit --quiet "$made" "$base" >/dev/null
    rm "$work/share/base.tar"
    # Nothing is fetched but from the package registries.
    options+=(--build-arg NGINX_SOURCE_DIR=/nginx --volume "$work/share/nginx:/nginx:ro"
        --volume "${CARGO_HOME:-$HOME/.cargo}/bin:/root/.cargo/bin:ro"
        --volume "${RUSTUP_HOME:-$HOME/.rustup}:/root/.rustup:ro")
fi

images bud --quiet --file deploy/docker/Dockerfile --build-arg BASE="$base" "${options[@]}" --tag with-cors .
image=$(images from with-cors)
# shellcheck disable=SC2016 # the shell in the image expands it
images run "$image" -- sh -euc '
    nginx -v
    cat >/etc/nginx/conf.d/default.conf <<END
server {
    listen unix:/tmp/socket;
    location / {
        cors on;
        cors_allow_origin https://app.example.com;
    }
}
END
    nginx
    answer=$(curl -sS -i -X OPTIONS --unix-socket /tmp/socket http://localhost/ \
        -H "Origin: https://app.example.com" -H "Access-Control-Request-Method: GET")
    nginx -s stop
    echo "$answer"
    echo "$answer" | grep -qi "^access-control-allow-origin: https://app.example.com"
    # What only the build needs stays behind.
    ! command -v cargo && ! [ -e /module ]'

# A controller brings its configuration later.
images copy --quiet "$image" deploy/docker/enable.sh / >/dev/null
images run "$image" -- sh -euc 'rm /etc/nginx/nginx.conf && /enable.sh'
echo 'the image of the Dockerfile serves'
