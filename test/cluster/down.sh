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

# The kernel ends every process of the node with the first one of its PID namespace.
stop_node() {
    is_alive node || return 0
    kill -KILL "$(node_init)"
    end_process node TERM 20
}

# stop_rest: whatever else is in the cluster's network namespace, such as a program whose PID file is lost.
stop_rest() {
    local pids
    pids=$(ip netns pids "$namespace" 2>/dev/null) || return 0
    [ -z "$pids" ] || xargs -r kill -KILL <<<"$pids" 2>/dev/null
    wait_for 10 namespace_is_empty || { say "still running: $(ip netns pids "$namespace" | xargs)"; return 1; }
}
namespace_is_empty() { [ -z "$(ip netns pids "$namespace")" ]; }

stop() {
    local name
    stop_node || return
    for name in kube-controller-manager kube-scheduler kube-apiserver; do end_process "$name" KILL 10 || return; done
    end_process etcd TERM 10 || return
    stop_rest || return
    "$here/steps/network.sh" down || return
    [ "$cluster" = control ] || "$here/steps/host.sh" restore || return
    [ -z "$wipe" ] || rm -rf "$state"
}
[ ! -d "$state" ] && "$here/remains.sh" "$cluster" >/dev/null && exit # nothing was ever started
run_step "cluster $cluster: stopping" "cluster-$cluster-down" stop
