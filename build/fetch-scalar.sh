#!/usr/bin/env bash
# Gets the interactive API reference (@scalar/api-reference, MIT) from npm's registry, checks it, and puts it into
# artifacts/scalar/, where the Manager's build takes it from. Does nothing when the pinned version is there already.
# Without npm (in an image's build) curl gets it, from NPM_CONFIG_REGISTRY where that is set.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=1.72.1
# dist.integrity of that version, in hex.
sha512=5e9109d2b7dcfdc5db0ab47e882e242b4a3f5b05f6753b4641b4f4e3d3a53ca0070fa20c205753786cf6afe336ecfd840d62b25084d19bf37394ff33da9c3f3b
registry=${NPM_CONFIG_REGISTRY:-https://registry.npmjs.org}
target="$artifacts/scalar"

fetch() {
    local work
    work=$(mktemp -d "$artifacts/scalar-XXXXXX")
    # Expanded now: the trap runs where the local is gone.
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    local package got
    if command -v npm >/dev/null; then
        (cd "$work" && npm pack --silent --ignore-scripts "@scalar/api-reference@$version" >name)
        package="$work/$(tail -n 1 "$work/name")"
    else
        package="$work/package.tgz"
        curl -fsSL "${registry%/}/@scalar/api-reference/-/api-reference-$version.tgz" -o "$package"
    fi
    got=$(sha512sum "$package" | cut -d' ' -f1)
    [ "$got" = "$sha512" ] || { say "wrong sha512 of @scalar/api-reference $version: $got"; return 1; }

    mkdir "$work/scalar"
    tar -xzf "$package" -C "$work" package/package.json package/dist/browser/standalone.js
    mv "$work/package/dist/browser/standalone.js" "$work/scalar/standalone.js"
    touch "$work/scalar/standalone.js" # npm dates everything 1985, and the build copies what is newer
    # The package has no licence file; its package.json names licence and author.
    mv "$work/package/package.json" "$work/scalar/package.json"
    echo "$version" >"$work/scalar/VERSION"
    rm -rf "$target"
    mv "$work/scalar" "$target"
}

[ "$(cat "$target/VERSION" 2>/dev/null)" = "$version" ] && exit
command -v npm >/dev/null || command -v curl >/dev/null || die "npm or curl is needed to get the API reference"
mkdir -p "$artifacts"
run_step "getting the API reference" scalar fetch
