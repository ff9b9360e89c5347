#!/usr/bin/env bash
# down.sh node|control [--wipe]: stops a test cluster and takes its network, mounts and cgroups away, as if it had never been there.
# What was stored comes back at the next up.sh; with --wipe that is forgotten too (the programs stay).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
case ${1---help} in --help | -h) help_of "$0"; exit ;; esac
choose_cluster "$1"
wipe=${2-}
[ -z "$wipe" ] || [ "$wipe" = --wipe ] || die "unknown option $wipe; see --help"
require_root
lock_cluster

stop() {
    # The first process of the node's PID namespace: the kernel ends all others with it.
    end_process node-init KILL 10
    end_process node KILL 10
    local name
    for name in kube-controller-manager kube-scheduler kube-apiserver; do end_process "$name" KILL 10; done
    end_process etcd TERM 10
    "$here/steps/network.sh" down || return
    [ "$cluster" = control ] || "$here/steps/host.sh" restore || return
    [ -z "$wipe" ] || rm -rf "$state"
}
[ ! -d "$state" ] || run_step "cluster $cluster: stopping" "cluster-$cluster-down" stop
