#!/usr/bin/env bash
# Publishes the executor to artifacts/executor: codesandbox-executor (native AOT) and codesandbox-reaper (static C).
#   build/publish-executor.sh [--release] [--allow-net9]
# --release refuses the net9.0 flavour (out of support) unless --allow-net9 is given too.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

release=false allow_net9=false
for argument in "$@"; do
    case $argument in
        --release) release=true ;;
        --allow-net9) allow_net9=true ;;
        *) say "publish-executor: unknown option $argument (--release, --allow-net9)" && exit 2 ;;
    esac
done

project=src/DonkeyWork.CodeSandbox.Server
output=artifacts/executor
work=artifacts/executor-build

require_packages "${native_build_packages[@]}"
command -v dotnet >/dev/null || die "the .NET 10 SDK is needed" # not require_sdk: whoever calls this has asked it already

case $(uname -m) in
    x86_64) runtime=linux-x64 ;;
    aarch64) runtime=linux-arm64 ;;
    *) die "no executor for $(uname -m)" ;;
esac

refuse_net9() {
    $release && ! $allow_net9 || return 0
    die "the net10.0 native AOT pack (Microsoft.NETCore.App.Runtime.NativeAOT.$runtime) cannot be restored, and a release is not built on net9.0, which left support in November 2026 (--allow-net9 builds it all the same)"
}

# Everything that goes into the two binaries, this script included.
inputs() {
    hash_of "$project" src/DonkeyWork.CodeSandbox.Contracts build/publish-executor.sh Directory.Build.props Directory.Packages.props global.json
    # The SDKs there are; dotnet --version takes longer than all the rest.
    ls "$(dirname "$(readlink -f "$(command -v dotnet)")")/sdk"
    cc --version | head -1
}

trap 'exit 130' INT
mkdir -p artifacts
[[ -w artifacts ]] || die "$PWD/artifacts belongs to $(stat -c %U artifacts): build as that user, or use a clone of your own"
exec 9>artifacts/executor.lock
flock 9
hash=$(inputs | sha256sum | cut -d' ' -f1)
if [[ -x $output/codesandbox-executor && -x $output/codesandbox-reaper && $(cat "$output/inputs.sha256" 2>/dev/null) == "$hash" ]]; then
    [[ $(cat "$output/flavour") != *net9.0 ]] || refuse_net9
    exit 0
fi

mkdir -p "$work" "$output"
say "compiling the C parts"
for part in spawn guard sweep; do
    cc -O2 -std=gnu11 -Wall -Wextra -Werror -fPIC -c "$project/Native/$part.c" -o "$work/$part.o"
done
rm -f "$work/libcodesandbox_native.a"
ar rcs "$work/libcodesandbox_native.a" "$work"/{spawn,guard,sweep}.o
cc -O2 -std=gnu11 -Wall -Wextra -Werror -static -s "$project/Native/reaper.c" -o "$work/codesandbox-reaper"

# for_framework FRAMEWORK: sets the options that restore and publish share.
for_framework() {
    framework=$1
    options=("-p:ExecutorFramework=$1" "-p:ExecutorNativeLibrary=$PWD/$work/libcodesandbox_native.a"
        --artifacts-path "$PWD/$work/$1" -r "$runtime" -m:1 -nodeReuse:false --nologo -v quiet)
}

for_framework net10.0
say "restoring the net10.0 native AOT pack"
if ! dotnet restore "$project" "${options[@]}" >"$work/net10.0.log" 2>&1; then
    # Only a pack that is not on the feed is a reason for the older framework; a feed that cannot be reached is none.
    grep -q 'NU110[1-3].*NativeAOT' "$work/net10.0.log" || { cat "$work/net10.0.log" >&2; die "the executor's packages cannot be restored"; }
    refuse_net9
    for_framework net9.0
    say "the net10.0 pack cannot be restored: net9.0, for development only"
fi

say "compiling codesandbox-executor ($framework, about a minute)"
rm -rf "$work/publish"
dotnet publish "$project" -c Release -f "$framework" --self-contained -o "$work/publish" "${options[@]}" \
    >"$work/$framework.log" 2>&1 || { cat "$work/$framework.log" >&2; die "the executor did not compile"; }

install -m 755 "$work/publish/codesandbox-executor" "$work/codesandbox-reaper" "$output/"
strip "$output/codesandbox-executor"
echo "native-aot $framework" >"$output/flavour"
echo "$hash" >"$output/inputs.sha256"
say "made $output (native-aot $framework, $(du -h "$output/codesandbox-executor" | cut -f1))"
