#!/usr/bin/env bash
# Gets the interactive API reference (@scalar/api-reference, MIT) from npm, checks it, and puts it into artifacts/scalar/,
# where the Manager's build takes it from. Does nothing when the pinned version is there already.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

version=1.72.1
# dist.integrity of that version: sha512 in base64.
integrity=XpEJ0rfc/cXbCrR+iC4kK0o/WwX2dTtGQbT049OlPKAHD6IMIFdTeGz2r+M27P2EDWKyUITRm/NzlP8z2pw/Ow==
target="$artifacts/scalar"

fetch() {
    local work
    work=$(mktemp -d "$artifacts/scalar-XXXXXX")
    # Expanded now: the trap runs where the local is gone.
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    (cd "$work" && npm pack --silent --ignore-scripts "@scalar/api-reference@$version" >name)
    local package got
    package="$work/$(tail -n 1 "$work/name")"
    got=$(openssl dgst -sha512 -binary "$package" | base64 -w 0)
    [ "$got" = "$integrity" ] || { say "wrong sha512 of @scalar/api-reference $version: $got"; return 1; }

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
command -v npm >/dev/null || die "npm is missing; it gets the API reference"
mkdir -p "$artifacts"
run_step "getting the API reference" scalar fetch
