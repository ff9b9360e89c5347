#!/usr/bin/env bash
# host.sh prepare|restore: what a node needs of the machine outside of its namespaces. Called by ../up.sh and ../down.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"
choose_cluster "$cluster"

# Mount points for what the programs write to fixed places, and what the kubelet sets for the whole machine.
mount_points=(/var/log/pods /var/log/containers /var/lib/cni /var/lib/kubelet)
settings=(vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops kernel.keys.root_maxkeys kernel.keys.root_maxbytes)

# cgroups: the node's own cgroup, in every hierarchy of version 1 or the one of version 2.
cgroups() {
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        echo "/sys/fs/cgroup/$cgroup"
    else
        awk -v name="$cgroup" '$3 ~ /^cgroup2?$/ { print $2 "/" name }' /proc/mounts
    fi
}

prepare() {
    local directory
    # A run that was cut off has kept the first values.
    [ -s "$state/sysctl" ] || { sysctl "${settings[@]}" >"$state/sysctl.part" && mv "$state/sysctl.part" "$state/sysctl"; }
    for directory in "${mount_points[@]}"; do
        [ -d "$directory" ] || { mkdir -p "$directory" && echo "$directory" >>"$state/made-directories"; }
    done
    for directory in $(cgroups); do mkdir -p "$directory"; done
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        for directory in /sys/fs/cgroup "/sys/fs/cgroup/$cgroup"; do
            sed 's/^/+/; s/ / +/g' "$directory/cgroup.controllers" >"$directory/cgroup.subtree_control"
        done
    fi
}

restore() {
    local directory
    if [ -s "$state/sysctl" ]; then
        sysctl -q -p "$state/sysctl"
        rm "$state/sysctl"
    fi
    if [ -s "$state/made-directories" ]; then
        xargs rmdir --ignore-fail-on-non-empty <"$state/made-directories"
        rm "$state/made-directories"
    fi
    for directory in $(cgroups); do wait_for 10 removed "$directory"; done
}
# A cgroup is busy for a moment after its last process has ended.
removed() { [ ! -d "$1" ] || { find "$1" -depth -type d -exec rmdir {} + && [ ! -d "$1" ]; }; }

"$1"
