#!/usr/bin/env bash
# packages.sh [--with-sources]: Debian bookworm's packages of a cluster, unpacked in the cache. With --with-sources instead what
# Kubernetes is built with: Go 1.19, two libraries, and the source package. Uses lists of its own and this machine's mirror.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"

kind=deb packages=(etcd-server kubernetes-client containerd runc containernetworking-plugins busybox-static) target="$programs"
if [ "${1-}" = --with-sources ]; then
    kind="deb deb-src" target="$cache/build/packages"
    packages=(golang-1.19-go golang-1.19-src golang-github-modern-go-reflect2-dev golang-github-json-iterator-go-dev)
fi

work=$(mktemp -d "$cache/packages-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,etc/sources.list.d,etc/preferences.d,etc/apt.conf.d,debs}

mirror=$(awk '/^URIs:.*\/debian\/?$/ { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
cat >"$work/etc/sources.list.d/bookworm.sources" <<SOURCES
Types: $kind
URIs: ${mirror:-http://deb.debian.org/debian}
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
SOURCES
# A mirror may be a snapshot of another day.
cat >"$work/apt.conf" <<CONF
Dir::Etc "$work/etc"; Dir::Etc::sourcelist "/dev/null"; Dir::Etc::sourceparts "$work/etc/sources.list.d"; Dir::Etc::preferencesparts "$work/etc/preferences.d";
Dir::State::lists "$work/lists"; Dir::Cache "$work/cache"; APT::Default-Release "bookworm"; APT::Sandbox::User "root";
Acquire::Languages "none"; Acquire::Check-Valid-Until "false"; Acquire::Check-Date "false";
CONF
export APT_CONFIG="$work/apt.conf"
apt-get -q update

cd "$work/debs"
apt-get -q download "${packages[@]}"
for package in *.deb; do dpkg -x "$package" "$work/unpacked"; done
if [ "${1-}" = --with-sources ]; then
    apt-get -q source --download-only kubernetes/bookworm
    mv kubernetes_*.orig.tar.gz "$work/unpacked/kubernetes.tar.gz"
fi
mkdir -p "$(dirname "$target")"
rm -rf "$target"
mv "$work/unpacked" "$target"
