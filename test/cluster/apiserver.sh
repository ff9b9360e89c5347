#!/usr/bin/env bash
# apiserver.sh node|control kill|stop|start: the API server alone, for tests of what happens without it; etcd goes on.
#   kill   SIGKILL, at once: connections are reset
#   stop   SIGTERM: it goes away in order, within 10 seconds
#   start  the same one again; returns when it is ready. The audit log is continued.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/cluster.sh"
case ${1---help} in --help | -h) help_of "$0"; exit ;; esac
choose_cluster "$1"
source "$here/apiserver-process.sh"
require_root
lock_cluster
is_alive etcd || die "cluster $cluster is not up: $here/up.sh $cluster"
case ${2-} in
    kill) end_process kube-apiserver KILL 10 ;;
    stop) end_process kube-apiserver TERM 10 ;;
    start) start_apiserver ;;
    *) die "kill, stop or start; see --help" ;;
esac
