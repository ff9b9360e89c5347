# Shared by run.sh, test.sh, bench.sh and the scripts of build/ and test/cluster/; sourced, never run.
# Everything built lands in artifacts/; a stamp beside it holds the hash of its inputs, so nothing is built twice.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
artifacts="$root/artifacts"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 MSBUILDDISABLENODEREUSE=1

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# run_step "what it does" LOGNAME command...: one line while it runs, its time when it is done, its log when it failed.
run_step() {
    local what=$1 log="$artifacts/log/$2.log" start=$SECONDS
    shift 2
    mkdir -p "$artifacts/log"
    printf '  %s ... ' "$what" >&2
    if "$@" >"$log" 2>&1 </dev/null; then
        printf '%s s\n' $((SECONDS - start)) >&2
    else
        printf 'failed\n' >&2
        cat "$log" >&2
        exit 1
    fi
}

# hash_of PATH...: of the content of all files below, bin and obj apart. What is not there does not count.
hash_of() {
    (cd "$root" && find $(ls -d "$@" 2>/dev/null) -type f -not -path '*/bin/*' -not -path '*/obj/*' -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

require_sdk() {
    command -v dotnet >/dev/null || die "the .NET 10 SDK is missing: https://dotnet.microsoft.com/download/dotnet/10.0"
    (cd "$root" && dotnet --version >/dev/null 2>&1) || die "this project needs the .NET 10 SDK (see global.json); installed: $(cd / && dotnet --list-sdks | tr '\n' ' ')"
}

# require_packages "package:probe"...: the probe is a program, or an absolute path of a file. As root the missing are installed.
require_packages() {
    local missing=() item probe
    for item in "$@"; do
        probe=${item#*:}
        case $probe in
            /*) [ -e "$probe" ] ;;
            *) PATH="$PATH:/usr/sbin:/sbin" command -v "$probe" >/dev/null ;;
        esac || missing+=("${item%%:*}")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        die "missing: ${missing[*]}. Install with: sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    apt_install "${missing[@]}"
}

apt_install() {
    run_step "reading Debian's package lists" apt-update apt-get -o DPkg::Lock::Timeout=120 update
    run_step "installing $*" apt-install env DEBIAN_FRONTEND=noninteractive \
        apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "$@"
}

# The executor is compiled natively: a C compiler links it.
native_build_packages=(gcc:cc binutils:ar libc6-dev:/usr/include/stdlib.h zlib1g-dev:/usr/include/zlib.h)
# What the Local backend starts sandboxes with.
local_backend_packages=(runc:runc e2fsprogs:mkfs.ext4)
# What the test clusters are made with, and the images for them.
cluster_packages=(openssl:openssl curl:curl xz-utils:xz iproute2:ip procps:sysctl
    debian-archive-keyring:/usr/share/keyrings/debian-archive-keyring.gpg)
image_packages=(buildah:buildah mmdebstrap:mmdebstrap)

build_executor() {
    "$root/build/publish-executor.sh" >&2
}

build_manager() {
    local stamp="$artifacts/manager.stamp" hash
    hash=$(hash_of src Directory.Build.props Directory.Packages.props global.json artifacts/executor artifacts/scalar)
    [ -x "$artifacts/manager/codesandbox-manager" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$hash" ] && return
    rm -rf "$artifacts/manager"
    run_step "building the Manager" manager dotnet publish "$root/src/DonkeyWork.CodeSandbox.Manager" \
        -c Release -o "$artifacts/manager" -nodeReuse:false
    echo "$hash" >"$stamp"
}

# The interactive API reference comes from npm; without npm the Manager serves everything else.
build_api_reference() {
    if command -v npm >/dev/null; then
        "$root/build/fetch-scalar.sh" >&2
    elif [ ! -d "$artifacts/scalar" ]; then
        say "  npm is not installed: /scalar/v1 will say how to get the API reference"
    fi
}
