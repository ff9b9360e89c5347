# Shared by the scripts of this directory; sourced, never run. Settings of both clusters, and what starts and ends their processes.
# A script calls `choose_cluster node|control` first.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source "$here/../../build/common.sh"

cache=${CODESANDBOX_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/codesandbox-test-cluster}
programs="$cache/programs"     # Debian's packages, unpacked
kubernetes="$cache/kubernetes" # API server, scheduler, controller manager, kubelet
kubectl="$programs/usr/bin/kubectl"
suffix=${CODESANDBOX_TEST_CLUSTER_SUFFIX-} # at most one character: veth names end at 15
pod_network=${CODESANDBOX_TEST_POD_NETWORK:-10.244.0.0/16}
service_network=10.96.0.0/16
api_service=10.96.0.1
export here cache programs kubernetes kubectl pod_network service_network api_service

# help_of SCRIPT: the comment at its head.
help_of() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$1"; }

# choose_cluster node|control: sets and exports the names, addresses and directories of one cluster.
choose_cluster() {
    cluster=$1
    case $cluster in
        node) subnet=${CODESANDBOX_TEST_NODE_SUBNET:-10.240.0} ;;
        control) subnet=${CODESANDBOX_TEST_CONTROL_SUBNET:-10.241.0} ;;
        *) die "which cluster? node or control, not '$cluster'" ;;
    esac
    node_address=$subnet.1
    host_address=$subnet.254
    server=https://$node_address:443
    namespace=codesandbox-test-$cluster$suffix
    veth=cstest-$cluster$suffix
    cgroup=$namespace
    state="$cache/$cluster$suffix"
    pki="$state/pki"
    logs="$state/log"
    containerd_socket="$state/containerd/containerd.sock"
    export cluster node_address host_address server namespace cgroup state pki logs containerd_socket
}

require_root() { [ "$(id -u)" -eq 0 ] || die "a test cluster has network namespaces, mounts and cgroups of its own: run this as root"; }

# One up.sh, down.sh, ... of a cluster at a time. Descriptor 9 is closed in everything that stays.
lock_cluster() {
    mkdir -p "$cache"
    exec 9>"$state.lock"
    flock --wait 1200 9 || die "another script has held $state.lock for 20 minutes"
}

# process_state PID: "STATE STARTTIME" of /proc/PID/stat (proc(5)); nothing where there is no such process. A process whose first
# thread has ended is a zombie in there, but has its ports and files until the last one has: that is E, for ending.
process_state() { sed -E 's/.*\) //' "/proc/$1/stat" 2>/dev/null | awk '{ print ($1 == "Z" && $18 > 1 ? "E" : $1), $20 }'; }

# is_alive NAME: whether the process in NAME.pid is the one that was started, and no zombie. A PID alone may be another's by now.
is_alive() {
    local started now
    [ -s "$state/$1.pid" ] && [ -s "$state/$1.started" ] || return 1
    started=$(cat "$state/$1.started")
    now=$(process_state "$(cat "$state/$1.pid")")
    [ "${now#* }" = "$started" ] && [ "${now%% *}" != Z ]
}

# start_process NAME COMMAND...: in the cluster's network namespace, in a session of its own, its output in log/NAME.log.
start_process() {
    local name=$1
    shift
    is_alive "$name" && return
    # nsenter, not `ip netns exec`: that mounts another /sys over the cgroups.
    setsid nsenter --net="/run/netns/$namespace" -- "$@" >>"$logs/$name.log" 2>&1 </dev/null 9>&- &
    process_state $! | cut -d' ' -f2 >"$state/$name.started"
    echo $! >"$state/$name.pid"
}

# end_process NAME SIGNAL SECONDS: sends the signal, waits so long, then kills; forgets the process.
end_process() {
    local name=$1 pid
    if is_alive "$name"; then
        pid=$(cat "$state/$name.pid")
        kill "-$2" "$pid" 2>/dev/null || true
        wait_for "$3" is_gone "$name" || kill -KILL "$pid" 2>/dev/null || true
        wait_for 10 is_gone "$name" || { say "$name (process $pid) does not end"; return 1; }
    fi
    rm -f "$state/$name.pid" "$state/$name.started"
}
is_gone() { ! is_alive "$1"; }

# wait_for SECONDS COMMAND...: until it succeeds, asked twenty times a second.
wait_for() {
    local deadline=$(($(date +%s%N) + $1 * 1000000000))
    shift
    until "$@"; do
        [ "$(date +%s%N)" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

# wait_for_process NAME SECONDS COMMAND...: the same; gives up as soon as the process has ended, and shows the end of its log.
wait_for_process() {
    local name=$1 seconds=$2
    shift 2
    wait_for "$seconds" ended_or "$name" "$@" && is_alive "$name" && return
    is_alive "$name" && say "$name is not ready after $seconds s" || say "$name has ended"
    say "--- the end of $logs/$name.log"
    tail -n 20 "$logs/$name.log" >&2
    return 1
}
ended_or() { local name=$1; shift; is_gone "$name" || "$@"; }

# node_init: the PID, on this machine, of the first process of the node's PID namespace.
node_init() { cat "/proc/$(cat "$state/node.pid")/task/$(cat "$state/node.pid")/children" 2>/dev/null | tr -d ' '; }

# in_node COMMAND...: in the mount and PID namespaces of the node.
in_node() { nsenter --target "$(node_init)" --mount --pid -- "$@"; }

kubectl_here() { "$kubectl" --kubeconfig "$state/kubeconfig" --cache-dir "$state/kubectl" "$@"; }
