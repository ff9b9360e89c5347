#!/usr/bin/env bash
# Builds the container images without a container engine, for machines (and tests) that have none:
#   build/build-images.sh [executor] [manager]      default: both
# Makes artifacts/images/executor.tar and manager.tar, for "ctr -n k8s.io images import" and the like.
# Nothing is built twice. Where docker runs, use the README's docker commands instead: the Dockerfiles are the same.
#
# buildah runs the Dockerfiles; the images they start from are made here under their own names, from this machine's Debian
# mirror and .NET SDK. So the images are as good as what this machine has installed: for a release, build with docker.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$root"

wanted=()
for argument in "$@"; do
    case $argument in
        executor | manager) wanted+=("$argument") ;;
        --help | -h) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit ;;
        *) die "unknown argument $argument; see build/build-images.sh --help" ;;
    esac
done
[ ${#wanted[@]} -gt 0 ] || wanted=(executor manager)

executor_image=donkeywork/codesandbox-executor manager_image=kata-manager-api
executor_inputs=(src/DonkeyWork.CodeSandbox.Server src/DonkeyWork.CodeSandbox.Contracts build/publish-executor.sh build/common.sh)
manager_inputs=(Dockerfile src build/fetch-scalar.sh build/common.sh)
common_inputs=(.dockerignore build/build-images.sh BannedSymbols.txt Directory.Build.props Directory.Packages.props global.json)

context_files=(.dockerignore BannedSymbols.txt Directory.Build.props Directory.Packages.props Dockerfile build global.json src)

output="$artifacts/images"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/codesandbox-images"
context="$cache/context"
dotnet_directory() { dirname "$(readlink -f "$(command -v dotnet)")"; }

[ "$(id -u)" -eq 0 ] || die "images are built as root"
require_sdk
mkdir -p "$output" "$cache"
exec 9>"$cache/lock"
flock 9
sdk_version=$(dotnet --version)

# stamp_of NAME: of everything that goes into the image.
stamp_of() {
    local -n inputs=$1_inputs
    echo "$(hash_of "${inputs[@]}" "${common_inputs[@]}") sdk-$sdk_version"
}

is_built() { [ -s "$output/$1.tar" ] && [ "$(cat "$output/$1.stamp" 2>/dev/null)" = "$2" ]; }

# Nothing that is left running may hold the lock.
bud() { "${buildah[@]}" build --layers --isolation chroot --pull-never --jobs 2 "$@" 9>&-; }
has_image() { "${buildah[@]}" inspect --type image "$1" >/dev/null 2>&1; }

# The machine's own sources of Debian 12, as apt has them; where it has none, mmdebstrap knows Debian's.
debian_sources() {
    apt-get indextargets --format '$(ORIGIN) $(CODENAME) deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's/^Debian bookworm\(-updates\|-security\)\? deb /deb /p'
}

# What debian:bookworm-slim leaves out, left out. (Steps are chained: errexit is off in what run_step calls.)
make_debian() {
    local sources container
    sources=$(debian_sources)
    mmdebstrap --variant=minbase --mode=root --format=tar --dpkgopt=force-unsafe-io \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
        --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' --dpkgopt='path-exclude=/usr/share/lintian/*' \
        --customize-hook='echo "APT::Keep-Downloaded-Packages \"false\"; Dir::Cache::pkgcache \"\"; Dir::Cache::srcpkgcache \"\";" >"$1/etc/apt/apt.conf.d/90keep-nothing"; rm -f "$1"/var/cache/apt/*.bin' \
        bookworm "$cache/debian.tar" ${sources:+-} <<<"$sources" &&
        container=$("${buildah[@]}" from scratch) &&
        "${buildah[@]}" add "$container" "$cache/debian.tar" / &&
        "${buildah[@]}" config --cmd bash --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container" &&
        "${buildah[@]}" commit --rm "$container" docker.io/library/debian:bookworm-slim &&
        rm "$cache/debian.tar"
}

# make_dotnet IMAGE PATH...: Debian with these parts of the machine's .NET.
make_dotnet() {
    local image=$1
    shift
    bud -t "$image" -f - "$(dotnet_directory)" <<DOCKERFILE
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates curl libssl3 libstdc++6 zlib1g && rm -rf /var/lib/apt/lists/*
ENV DOTNET_RUNNING_IN_CONTAINER=true DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 ASPNETCORE_HTTP_PORTS=8080
$(for path in "$@"; do echo "COPY $path /usr/share/dotnet/$path"; done)
RUN ln -s /usr/share/dotnet/dotnet /usr/bin/dotnet
DOCKERFILE
}

make_bases() {
    local debian=docker.io/library/debian:bookworm-slim sdk=mcr.microsoft.com/dotnet/sdk:10.0 aspnet=mcr.microsoft.com/dotnet/aspnet:10.0
    local stamp
    stamp="$sdk_version $(declare -f make_debian make_dotnet | sha256sum)"
    has_image $debian && has_image $sdk && has_image $aspnet && [ "$(cat "$cache/bases.stamp" 2>/dev/null)" = "$stamp" ] && return
    # Nothing that was built on the old ones is of use any more.
    "${buildah[@]}" rm --all >/dev/null
    "${buildah[@]}" rmi --all --force >/dev/null
    run_step "bootstrapping $debian" image-debian make_debian
    run_step "packing the machine's .NET as $sdk" image-sdk make_dotnet "$sdk" .
    run_step "packing the machine's .NET as $aspnet" image-aspnet make_dotnet "$aspnet" \
        dotnet host shared/Microsoft.NETCore.App shared/Microsoft.AspNetCore.App
    echo "$stamp" >"$cache/bases.stamp"
}

# How this machine reaches NuGet and npm, for the stages that compile.
network_settings() {
    local certificates=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt} packages
    packages=$(dotnet nuget locals global-packages --list | sed 's/^[^:]*: //')
    mkdir -p "$packages"
    arguments=(--build-arg SSL_CERT_FILE=/run/certificates.crt)
    mounts=(-v "$certificates:/run/certificates.crt:ro" -v "$packages:/root/.nuget/packages")
    [ ! -d "$HOME/.nuget/NuGet" ] || mounts+=(-v "$HOME/.nuget/NuGet:/root/.nuget/NuGet:ro")
    [ ! -f "$HOME/.npmrc" ] || mounts+=(-v "$HOME/.npmrc:/root/.npmrc:ro")
    ! command -v npm >/dev/null || arguments+=(--build-arg "NPM_CONFIG_REGISTRY=$(npm config get registry 2>/dev/null)")
}

# compile DOCKERFILE "STAGE..." [ARGUMENT...]: the stages that are thrown away, side by side.
compile() {
    local dockerfile=$1 stages=$2 stage job jobs=() status=0
    shift 2
    for stage in $stages; do
        bud "$@" "${arguments[@]}" "${mounts[@]}" --target "$stage" -f "$dockerfile" . &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do wait "$job" || status=1; done
    return $status
}

# build NAME IMAGE DOCKERFILE "STAGE..." [ARGUMENT...]
build() {
    local name=$1 image=$2 dockerfile=$3 stages=$4
    shift 4
    # From a copy, so that both steps see the same files whatever happens to the checkout meanwhile.
    rm -rf "$context"
    mkdir "$context"
    tar -c --exclude='*/bin' --exclude='*/obj' "${context_files[@]}" | tar -x -C "$context"
    cd "$context"
    # Only what is thrown away sees the machine's files; what is shipped is then built without them, from the cached stages.
    run_step "compiling for $image" "image-$name-build" compile "$dockerfile" "$stages" "$@"
    run_step "building $image" "image-$name" bud "$@" "${arguments[@]}" -t "$image" -f "$dockerfile" .
    cd "$root"
    rm -rf "$context"
}

save() {
    rm -f "$output/$1.tar" && "${buildah[@]}" push "localhost/$2:latest" "docker-archive:$output/$1.tar:$3:latest"
}

for name in "${wanted[@]}"; do
    stamp=$(stamp_of "$name")
    is_built "$name" "$stamp" && continue
    if [ -z "${buildah-}" ]; then
        require_packages "${image_packages[@]}"
        buildah=(buildah --root "$cache/storage" --runroot "$cache/run" --storage-driver overlay)
        make_bases
        network_settings
    fi
    if [ "$name" = executor ]; then
        # These images are for tests; what users run refuses the old flavour.
        build executor "$executor_image" src/DonkeyWork.CodeSandbox.Server/Dockerfile "executor node" --build-arg ALLOW_NET9=true
        run_step "saving $executor_image" image-executor-save save executor "$executor_image" "docker.io/$executor_image"
    else
        build manager "$manager_image" Dockerfile build
        run_step "saving $manager_image" image-manager-save save manager "$manager_image" "docker.io/library/$manager_image"
    fi
    echo "$stamp" >"$output/$name.stamp"
done

# The containers that stages ran in are of no use any more; their layers are kept. Each is a mount.
[ -z "${buildah-}" ] || "${buildah[@]}" rm --all >/dev/null
