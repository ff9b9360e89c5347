#!/usr/bin/env bash
# Builds Kubernetes 1.20.2 (API server, scheduler, controller manager, kubelet) from Debian bookworm's source package into the cache,
# with Debian's Go 1.19: about six minutes on two cores, once. Called by programs.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"

build="$cache/build"
packages="$build/packages"
export GOROOT="$packages/usr/lib/go-1.19" GOPATH="$build/go" GOCACHE="$build/go-cache"
export GO111MODULE=off GOFLAGS= CGO_ENABLED=0 PATH="$packages/usr/lib/go-1.19/bin:$PATH"
source_tree="$GOPATH/src/k8s.io/kubernetes" # where the generator wants it

unpack_source() {
    local library vendored fixed
    rm -rf "$source_tree" && mkdir -p "$source_tree" &&
        tar -xzf "$packages/kubernetes.tar.gz" -C "$source_tree" --strip-components=1 || return
    # reflect2 1.0.1 panics when built with Go 1.18 or later (its maps); Debian has 1.0.2, and the json-iterator that goes with it.
    for library in modern-go/reflect2 json-iterator/go; do
        vendored="$source_tree/vendor/github.com/$library" fixed="$packages/usr/share/gocode/src/github.com/$library"
        rm -f "$vendored"/*.go "$vendored"/*.s &&
            find "$fixed" -maxdepth 1 \( -name '*.go' -o -name '*.s' \) -not -name '*_test.go' -exec cp -t "$vendored" {} + || return
    done
}

# The source package comes without pkg/generated/openapi, which the API server is compiled with.
generate_openapi() {
    cd "$source_tree" && go build -trimpath -o "$build/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen || return
    local inputs
    inputs=$(find -L cmd pkg plugin vendor/k8s.io -name '*.go' -not -path '*/testdata/*' -not -path '*/_*' \
        -not -path 'vendor/k8s.io/code-generator/*' -not -path 'vendor/k8s.io/sample-apiserver/*' -print0 |
        xargs -0 grep -l '+k8s:openapi-gen=' | xargs -n1 dirname | LC_ALL=C sort -u | sed 's#^#k8s.io/kubernetes/#' | paste -sd,)
    "$build/openapi-gen" --logtostderr -i "$inputs" -p k8s.io/kubernetes/pkg/generated/openapi -O zz_generated.openapi \
        -h vendor/k8s.io/code-generator/hack/boilerplate.go.txt -r "$build/openapi-violations"
}

compile() {
    local flags=(-s -w) package setting
    for package in component-base/version client-go/pkg/version; do
        for setting in gitVersion=v1.20.2 gitMajor=1 gitMinor=20 gitTreeState=clean buildDate=2021-01-13T13:20:00Z; do
            flags+=(-X "k8s.io/kubernetes/vendor/k8s.io/$package.$setting")
        done
    done
    cd "$source_tree" && go build -trimpath -ldflags "${flags[*]}" -o "$build/programs/$1" "k8s.io/kubernetes/cmd/$1"
}

say "  Kubernetes is built from Debian's sources, once; this takes minutes"
run_step "getting Go and the sources from Debian" cluster-build-packages "$here/steps/packages.sh" --with-sources
run_step "unpacking the sources" cluster-build-sources unpack_source
run_step "generating the API's description" cluster-build-openapi generate_openapi
rm -rf "$build/programs"
for program in kube-apiserver kube-scheduler kube-controller-manager kubelet; do
    run_step "compiling $program" "cluster-build-$program" compile "$program"
done
rm -rf "$kubernetes"
mv "$build/programs" "$kubernetes"
rm -rf "$build" # gigabytes of sources and objects
