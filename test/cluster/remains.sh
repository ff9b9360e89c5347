#!/usr/bin/env bash
# remains.sh node|control: lists what there is of a cluster on this machine, one line each, and fails if there is anything:
# processes, network namespace, link, mounts, cgroups, settings of the machine. The state directory and the programs don't count.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
case ${1---help} in --help | -h) help_of "$0"; exit ;; esac
choose_cluster "$1"

# is_of_cluster PID: it runs in the cluster's network namespace or cgroup, or with a path of its state directory; and is no zombie,
# which has ended and whose parent has not asked yet. What ends while it is looked at is not of the cluster.
is_of_cluster() {
    local words cgroups
    mapfile -d '' words <"/proc/$1/cmdline"
    mapfile cgroups <"/proc/$1/cgroup"
    [ "/proc/$1/ns/net" -ef "/run/netns/$namespace" ] || [[ "${words[*]}" == *"$state/"* || "${cgroups[*]}" == */"$cgroup"/* ]] || return
    case $(process_state "$1") in Z* | "") return 1 ;; esac
    command=${words[*]:0:8}
} 2>/dev/null

list() {
    local process command directory
    for process in /proc/[0-9]*; do
        is_of_cluster "${process#/proc/}" && echo "process: ${process#/proc/} $command"
    done
    [ ! -e "/run/netns/$namespace" ] || echo "network namespace: $namespace"
    [ ! -e "/sys/class/net/$veth" ] || echo "link: $veth"
    awk -v namespace="/$namespace" -v state="$state/" \
        'substr($5, length($5) - length(namespace) + 1) == namespace || index($5, state) == 1 { print "mount: " $5 }' /proc/self/mountinfo
    for directory in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
        [ ! -d "$directory" ] || echo "cgroup: $directory"
    done
    [ ! -e "$state/sysctl" ] || echo "settings of the machine: $(xargs <"$state/sysctl")"
    [ ! -e "$state/made-directories" ] || echo "directories: $(xargs <"$state/made-directories")"
}

remains=$(list)
[ -z "$remains" ] || { echo "$remains"; exit 1; }
