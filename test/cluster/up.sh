#!/usr/bin/env bash
# up.sh node|control: starts a real Kubernetes 1.20 for tests on this machine; what runs already is left as it is.
#   node     API server, scheduler, controller manager, kubelet and containerd: pods run
#   control  etcd and the API server alone: pods are accepted and never run
# Prints the path of the cluster's kubeconfig. README.md in this directory tells the rest.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
case ${1---help} in --help | -h) help_of "$0"; exit ;; esac
choose_cluster "$1"
source "$here/apiserver-process.sh"
require_root
require_packages "${native_build_packages[@]}" "${cluster_packages[@]}"
"$here/steps/programs.sh"
lock_cluster

# Unsafe is what a machine that crashes leaves of it, and slow what a busy disk would make of every write.
start_etcd() {
    start_process etcd "$programs/usr/bin/etcd" --name=etcd --data-dir="$state/etcd" --log-level=warn --unsafe-no-fsync \
        --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
        --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
        --initial-cluster=etcd=http://127.0.0.1:2380
    wait_for_process etcd 60 etcd_is_ready
}
etcd_is_ready() { nsenter --net="/run/netns/$namespace" curl -sf --max-time 5 -o /dev/null http://127.0.0.1:2379/health; }

# The kubelet and containerd live in a PID and a mount namespace of their own: with its first process every pod and every mount ends.
start_node() {
    is_alive node || date -u +%FT%TZ >"$state/node.since"
    start_process node unshare --mount --pid --fork --mount-proc --propagation private --kill-child=KILL "$here/steps/node.sh"
}

start_controllers() {
    local name options
    for name in kube-scheduler kube-controller-manager; do
        options=(--kubeconfig="$pki/$name.kubeconfig" --authentication-kubeconfig="$pki/$name.kubeconfig"
            --authorization-kubeconfig="$pki/$name.kubeconfig" --leader-elect=false --bind-address=127.0.0.1 --port=0 --kube-api-qps=100 --kube-api-burst=200)
        [ "$name" = kube-scheduler ] || options+=(--use-service-account-credentials=true --allocate-node-cidrs=false
            --service-account-private-key-file="$pki/service-account.key" --root-ca-file="$pki/ca.crt"
            --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key")
        start_process "$name" "$kubernetes/$name" "${options[@]}"
    done
}

# What the kubelet has said since it was started; what it said before may be stored still.
node_is_ready() {
    local ready='{range .status.conditions[?(@.type=="Ready")]}{.status} {.lastHeartbeatTime}{end}' said
    said=$(kubectl_here get node test-node -o jsonpath="$ready" 2>/dev/null) || return
    [ "${said% *}" = True ] && [[ ! ${said#* } < $(cat "$state/node.since") ]]
}
# Until the service account is there, a pod is answered with 403.
pods_can_be_created() { kubectl_here get serviceaccount default >/dev/null 2>&1; }

start_cluster() {
    mkdir -p "$state" "$logs" &&
        "$here/steps/network.sh" up &&
        "$here/steps/pki.sh" || return
    # The node comes first: its slow start needs no API server.
    [ "$cluster" = control ] || { "$here/steps/host.sh" prepare && start_node; } || return
    start_etcd || return
    is_alive kube-apiserver || rm -f "$state"/audit*.log
    start_apiserver && kubectl_here apply --validate=false -f "$here/etc/runtimeclasses.yaml" || return
    [ "$cluster" = node ] || return 0
    start_controllers
    wait_for_process node 120 node_is_ready &&
        wait_for_process kube-controller-manager 60 pods_can_be_created
}

run_step "starting cluster $cluster at $server" "cluster-$cluster" start_cluster
echo "$state/kubeconfig"
