#!/usr/bin/env bash
# Leaves in build/ a package for the Debian release that this runs on, and for its nginx.
# tools/deb.sh; installs what it needs and misses, as root or with sudo.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    printf 'error: %s\n' "$@" >&2
    exit 1
}

command -v dpkg-query >/dev/null || fail 'packages are made on Debian'
tools/require.sh build deb

# Under both of them the build gets another HOME.
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}

# A later release of Debian gets the later version, so that upgrading it upgrades this, too.
version=$(tools/version.sh)
# shellcheck disable=SC1091 # every Debian has it
release=$(. /etc/os-release && echo "${VERSION_ID:+~deb$VERSION_ID}")
: "${SOURCE_DATE_EPOCH:=$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Cargo.toml)}"
export SOURCE_DATE_EPOCH
cat >debian/changelog <<END
libnginx-mod-http-cors ($version-${DEB_REVISION:-1}$release) unstable; urgency=medium

  * Version $version: see CHANGELOG.md.

 -- $(sed -n 's/^Maintainer: //p' debian/control)  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END

# Kept from one build to the next; the package's own directory is not.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target/deb}
dpkg-buildpackage --build=binary --no-sign --jobs=auto

mkdir -p build
file=libnginx-mod-http-cors_$(dpkg-parsechangelog -S Version)_$(dpkg --print-architecture)
mv "../$file".{deb,buildinfo,changes} build/
echo "build/$file.deb"
