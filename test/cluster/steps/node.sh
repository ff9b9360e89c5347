#!/usr/bin/env bash
# The first process of the node's PID namespace: containerd and the kubelet. Called by ../up.sh.
# The machine's file system is shared with a mount namespace of our own, where everything they mount stays.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"
choose_cluster "$cluster"
export PATH="$programs/usr/bin:$programs/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin"

mount --make-rshared / # the kubelet asks for it
for directory in /run /var/log/pods /var/log/containers /var/lib/cni /var/lib/kubelet; do mount -t tmpfs tmpfs "$directory"; done
mkdir /run/lock
mount --bind "$here/etc/resolv.conf" /etc/resolv.conf # a name that is looked up fails at once instead of after seconds

# fill_in NAME: etc/NAME with our paths and addresses, into the state directory.
fill_in() {
    sed -e "s#@STATE@#$state#g; s#@PROGRAMS@#$programs#g; s#@PKI@#$pki#g; s#@HERE@#$here#g" \
        -e "s#@NODE_ADDRESS@#$node_address#g; s#@POD_NETWORK@#$pod_network#g; s#@CGROUP@#$cgroup#g" "$here/etc/$1" >"$2"
}
mkdir -p "$state"/{kubelet,containerd,cni}
fill_in cni.conflist "$state/cni/10-bridge.conflist"
fill_in containerd.toml "$state/containerd.toml"
fill_in kubelet.yaml "$state/kubelet.yaml"

containerd -c "$state/containerd.toml" >>"$logs/containerd.log" 2>&1 &
containerctl() { ctr --address "$containerd_socket" --namespace k8s.io "$@"; }
answers() { containerctl version >/dev/null 2>&1; }
wait_for 60 answers
for image in "$cache"/images/*.tar; do containerctl images import "$image"; done

"$kubernetes/kubelet" --config="$state/kubelet.yaml" --kubeconfig="$pki/kubelet.kubeconfig" --root-dir="$state/kubelet" \
    --hostname-override=test-node --node-ip="$node_address" \
    --container-runtime=remote --container-runtime-endpoint="unix://$containerd_socket" >>"$logs/kubelet.log" 2>&1 &
echo $! >"$state/kubelet.pid-in-node"
"$here/steps/sandbox-remover.sh" &
# None goes on without the others.
status=0
wait -n || status=$?
say "one of the node's processes has ended with $status; see kubelet.log and containerd.log in $logs"
exit 1
