#!/usr/bin/env bash
# load-image.sh FILE.tar...: imports images (docker archives or OCI layouts) into the node of the cluster `node`.
# There is no registry: pods need imagePullPolicy IfNotPresent or Never.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
case ${1---help} in --help | -h) help_of "$0"; exit ;; esac
choose_cluster node
require_root
lock_cluster
is_alive node || die "cluster node is not up: $here/up.sh node"
for file in "$@"; do
    path=$(readlink -e "$file") || die "no such file: $file"
    in_node "$programs/usr/bin/ctr" --address "$containerd_socket" --namespace k8s.io images import "$path" ||
        die "$file could not be imported"
done
