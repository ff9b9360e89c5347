#!/usr/bin/env bash
# The programs of both clusters in the cache: Debian's packages unpacked (nothing is installed), Kubernetes itself, two small images.
# Called by ../up.sh; does nothing where they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"
mkdir -p "$cache"
exec 9>"$cache/programs.lock"
flock 9

[ -x "$kubectl" ] || run_step "getting etcd, containerd and kubectl from Debian" cluster-packages "$here/steps/packages.sh"

# Programs that someone built before, as PROGRAM.xz and SHA256SUMS of the programs; empty: none.
prebuilt=${CODESANDBOX_TEST_PREBUILT-$root/../shared/cluster/prebuilt}
if [ ! -x "$kubernetes/kubelet" ]; then
    if [ -n "$prebuilt" ] && [ -s "$prebuilt/SHA256SUMS" ]; then
        run_step "unpacking Kubernetes" cluster-kubernetes "$here/steps/unpack-kubernetes.sh" "$prebuilt"
    else
        "$here/steps/build-kubernetes.sh"
    fi
fi
[ -s "$cache/images/busybox.tar" ] || run_step "making the images pause and busybox" cluster-images "$here/steps/images.sh"
