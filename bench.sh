#!/usr/bin/env bash
# The benchmarks: ours beside what a user would pick instead, in one run. See bench/RESULTS.md.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/build/common.sh"

if [ "${1-}" = --help ] || [ "${1-}" = -h ]; then
    cat <<'HELP'
Usage: ./bench.sh [create|start|exec|stream|executions|files|terminal|allocate]...
                                                   on this machine; without a name all of them
       ./bench.sh [pods|ready|scale|claims]...             on the test clusters, which it starts: as root
       ./bench.sh first-run                                how long a newcomer waits
HELP
    exit
fi

# A fresh clone with nothing cached, as a newcomer has it: how long until the first answer, and until the second.
first_run() {
    local clone seconds output
    clone=$(mktemp -d /tmp/codesandbox-first-run.XXXXXX)
    trap 'rm -rf "$clone"' RETURN
    # The sandboxes' users pass through it to their root file system.
    chmod 755 "$clone"
    git clone --quiet "$root" "$clone/checkout"
    mkdir "$clone/home"
    for turn in first second; do
        seconds=$(date +%s.%N)
        output=$(env -u NUGET_PACKAGES HOME="$clone/home" XDG_STATE_HOME="$clone/state" \
            Local__StateDirectory="$clone/state" "$clone/checkout/run.sh" "python3 -c 'print(6*7)'")
        [ "$output" = 42 ] || die "./run.sh printed: $output"
        printf '| %s `./run.sh "python3 ..."` of a fresh clone with empty caches | %.1f s |\n' "$turn" "$(echo "$(date +%s.%N) - $seconds" | bc)"
    done
}

require_sdk
if [ "${1-}" = first-run ]; then
    require_packages bc:bc
    first_run
    exit
fi
require_packages "${native_build_packages[@]}" "${local_backend_packages[@]}"
build_executor
build_manager
[ $# -gt 0 ] || set -- create start exec stream executions files terminal allocate
case " $* " in
    *' pods '* | *' ready '* | *' scale '* | *' claims '*)
        source "$root/test/cluster/test-run.sh"
        trap stop_clusters EXIT
        start_clusters
        ;;
esac
run_step "building the benchmarks" build-bench dotnet build "$root/bench/DonkeyWork.CodeSandbox.Bench" -c Release -nodeReuse:false
"$root/bench/DonkeyWork.CodeSandbox.Bench/bin/Release/net10.0/DonkeyWork.CodeSandbox.Bench" "$@"
