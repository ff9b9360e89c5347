#!/usr/bin/env bash
# network.sh up|down: the network namespace of a cluster and the veth pair that leads to it. Called by ../up.sh and ../down.sh.
#   this machine (HOST_ADDRESS) -- veth -- the namespace (NODE_ADDRESS; the API's service address too) -- pods
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"
choose_cluster "$cluster"

is_up() {
    [ -e "/run/netns/$namespace" ] && [ -e "/sys/class/net/$veth" ] &&
        [[ $(ip -n "$namespace" route show default) == *"via $host_address"* ]]
}

bring_up() {
    ip netns add "$namespace"
    ip -n "$namespace" link set lo up
    ip -n "$namespace" addr add "$api_service/32" dev lo
    ip link add "$veth" type veth peer name eth0 netns "$namespace"
    ip addr add "$host_address/24" dev "$veth"
    ip link set "$veth" up
    ip -n "$namespace" addr add "$node_address/24" dev eth0
    ip -n "$namespace" link set eth0 up
    if [ "$cluster" = node ]; then
        ip route add "$pod_network" via "$node_address" dev "$veth"
        nsenter --net="/run/netns/$namespace" sysctl -qw net.ipv4.ip_forward=1
    fi
    # What asks for a cloud's metadata (the kubelet does, when it starts) is told at once that there is none.
    ip -n "$namespace" route add unreachable 169.254.0.0/16
    ip -n "$namespace" route add default via "$host_address" # last: it tells that all the rest is there
}

take_down() {
    [ ! -e "/sys/class/net/$veth" ] || ip link del "$veth"
    [ ! -e "/run/netns/$namespace" ] || ip netns del "$namespace"
}

# up: a network that is half there is made again, but never under a cluster that runs.
case $1 in
    up)
        is_up && exit
        [ -z "$(ip netns pids "$namespace" 2>/dev/null)" ] || die "the network of cluster $cluster is damaged: $here/down.sh $cluster"
        take_down
        bring_up
        ;;
    down) take_down ;;
esac
