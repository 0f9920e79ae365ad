#!/usr/bin/env bash
# Runs a command in a fresh Debian root that has this checkout, the Rust toolchain and make, nothing else.
# tools/clean-root.sh <command> [arguments]; as root on Debian, with rustup and the package debootstrap.
#   RELEASE=<codename>   of another Debian release, or sid; else of the one that runs here
#   SHARE=<directory>    is /root/share in there
#   BASES=<directory>    keeps what debootstrap made, for the next run to start from
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck disable=SC1091,SC2154 # every Debian has it
host=$(. /etc/os-release && echo "$VERSION_CODENAME")
codename=${RELEASE:-$host}
# shellcheck disable=SC2016 # apt-get expands it
sources=$(apt-get indextargets --format 'deb $(REPO_URI) $(CODENAME) main' 'Created-By: Packages' 'Origin: Debian' | sort -u)
mirror=$(awk -v codename="$host" '$3 == codename { print $2; exit }' <<<"$sources")
case $codename in
"$host") ;;
sid) sources="deb $mirror sid main" ;;
*) sources=$(awk -v host="$host" -v codename="$codename" '{ sub("^" host, codename, $3); print }' <<<"$sources") ;;
esac

root=$(mktemp -d)
chmod 755 "$root" # not every user in there is root
# The mounts below live in a namespace of their own and are gone before this runs.
trap 'rm -rf --one-file-system "$root"' EXIT
base=${BASES:+$BASES/$codename.tar}
if [ -n "$base" ] && [ -e "$base" ]; then
    tar -x -C "$root" -f "$base"
else
    debootstrap --variant=minbase --include=make "$codename" "$root" "$mirror" >"$root/debootstrap.out" ||
        { cat "$root/debootstrap.out" >&2; exit 1; }
    if [ -n "$base" ]; then
        mkdir -p "$BASES"
        tar -c -C "$root" -f "$base.new" .
        mv "$base.new" "$base"
    fi
fi

# Nobody has to find this root intact after a crash.
echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/throw-away"

# What this machine has set up to reach the network.
echo "$sources" >"$root/etc/apt/sources.list"
apt-config dump | grep -E '^Acquire::(https?|Check-)' >"$root/etc/apt/apt.conf.d/99host" || true
cp -R /usr/local/share/ca-certificates "$root/usr/local/share/"
cp -L /etc/resolv.conf /etc/hosts "$root/etc/"

mkdir -p "$root/root/.cargo/bin" "$root/root/.rustup" "$root/root/checkout" "$root/root/share"
cp "${CARGO_HOME:-$HOME/.cargo}"/config* "$root/root/.cargo/" 2>/dev/null || true
git ls-files -z --cached --others --exclude-standard | tar --null -T - -c | tar -x -C "$root/root/checkout"

export root
# shellcheck disable=SC2016 # the inner shell expands it
unshare --mount --pid --fork --kill-child bash -euc '
    mount --bind -o ro "${CARGO_HOME:-$HOME/.cargo}/bin" "$root/root/.cargo/bin"
    mount --bind -o ro "${RUSTUP_HOME:-$HOME/.rustup}" "$root/root/.rustup"
    [ -z "${SHARE:-}" ] || mount --bind "$SHARE" "$root/root/share"
    mount -t proc proc "$root/proc"
    mount --rbind /sys "$root/sys"
    mount --rbind /dev "$root/dev"
    chroot "$root" env -i HOME=/root TERM="${TERM:-dumb}" PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        sh -c "cd /root/checkout && exec \"\$@\"" sh "$@"' bash "$@"
