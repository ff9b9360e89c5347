#!/usr/bin/env bash
# Everything: installs what the suites need, builds, runs every suite, and adds up their counts in the last line.
# ./test.sh NAME...  runs only the suites whose project names contain one of the words.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/build/common.sh"
cd "$root"

if [ "${1-}" = --help ] || [ "${1-}" = -h ]; then
    sed -n '2,3s/^# //p' "$0"
    exit
fi
[ "$(id -u)" -eq 0 ] || die "the suites start real sandboxes, mount and use cgroups: run ./test.sh as root"

source test/cluster/test-run.sh

# is_wanted NAME WORD...: whether the name has one of the words in it; without words everything is.
is_wanted() {
    local name=$1 word
    shift
    [ $# -gt 0 ] || return 0
    for word in "$@"; do [[ $name != *"$word"* ]] || return 0; done
    return 1
}

# counter NAME FILE: a number of the <Counters> element of a TRX file.
counter() { grep -o "<Counters [^>]*" "$2" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' || echo 0; }

# tests_of CLASS FILE: how many tests of a class are in a TRX file.
tests_of() { grep -o "<TestMethod [^>]*className=\"[^\"]*\.$1\"" "$2" | wc -l; }

say "Preparing"
require_sdk
require_packages "${native_build_packages[@]}" "${local_backend_packages[@]}" \
    "${cluster_packages[@]}" "${image_packages[@]}" \
    runsc:runsc uidmap:newuidmap chromium:chromium python3:/usr/bin/python3 nodejs:node npm:npm git:git vim:vim.basic
build_executor
build_api_reference
build_manager
run_step "building the tests" build-tests dotnet build "$root" -c Release -nodeReuse:false

passed=0 failed=0 skipped=0 broken=()
results="$artifacts/test-results"
rm -rf "$results"
mkdir -p "$results"

# Suites that need the test clusters wait more than they work; the others run beside them.
on_clusters=() elsewhere=()
for project in test/*.Tests/*.csproj; do
    is_wanted "$(basename "$project" .csproj)" "$@" || continue
    case $project in
        *.Kubernetes.Tests.csproj | *.Cluster.Tests.csproj) on_clusters=("$project" "${on_clusters[@]}") ;;
        *) elsewhere+=("$project") ;;
    esac
done

# run_suites PROJECT...: one after the other. Each one's output is shown in one piece when it ends; its status is in a file.
run_suites() {
    local project name status suite=
    trap 'trap "" TERM; [ -z "$suite" ] || { kill "$suite" && wait "$suite"; } 2>/dev/null; exit 143' TERM
    trap '' INT # the one that waits for both answers Ctrl+C
    for project in "$@"; do
        name=$(basename "$project" .csproj)
        say "  running $name"
        # No suite may hang CI: it is ended, and counts as failed. It runs in the background, so that the end of the run is
        # heard here at once; the shell would have it ignore Ctrl+C for ever, and what it starts, too.
        status=0
        env --default-signal=INT,QUIT timeout --kill-after=30 2400 dotnet test "$project" -c Release --no-build --nologo \
            --logger "trx;LogFileName=$results/$name.trx" --logger "console;verbosity=minimal" \
            --blame-hang-timeout 900s --blame-hang-dump-type none --results-directory "$results" \
            </dev/null >"$results/$name.log" 2>&1 8>&- &
        suite=$!
        wait "$suite" || status=$?
        suite=
        echo "$status" >"$results/$name.status"
        say "" && say "$name" && cat "$results/$name.log"
    done
}

lanes=()
on_exit() {
    set +e
    trap '' INT TERM
    [ ${#lanes[@]} -eq 0 ] || { kill "${lanes[@]}" && wait "${lanes[@]}"; } 2>/dev/null
    stop_clusters
}
trap on_exit EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say "" && say "Suites"
[ ${#elsewhere[@]} -eq 0 ] || { run_suites "${elsewhere[@]}" & lanes+=($!); }
if [ ${#on_clusters[@]} -gt 0 ]; then
    start_clusters
    run_suites "${on_clusters[@]}" &
    lanes+=($!)
fi
for lane in "${lanes[@]}"; do wait "$lane"; done
lanes=()

for project in "${elsewhere[@]}" "${on_clusters[@]}"; do
    name=$(basename "$project" .csproj)
    trx="$results/$name.trx"
    status=$(cat "$results/$name.status" || echo none)
    if [ ! -s "$trx" ]; then
        broken+=("$name (no result, status $status)")
        failed=$((failed + 1))
        continue
    fi
    suite_total=$(counter total "$trx")
    suite_passed=$(counter passed "$trx")
    suite_failed=$(($(counter failed "$trx") + $(counter error "$trx") + $(counter timeout "$trx") + $(counter aborted "$trx")))
    # A suite that ended badly without a failed test to show for it has failed all the same.
    [ "$status" = 0 ] || [ "$suite_failed" -gt 0 ] || { suite_failed=1; broken+=("$name (status $status)"); }
    [ "$suite_total" -gt 0 ] || { suite_failed=1; broken+=("$name (no test)"); }
    passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
    skipped=$((skipped + suite_total - suite_passed - $(counter failed "$trx")))
done

# The contract suite has the same tests for every backend: one that was run over one of them alone is no contract.
local_trx="$results/DonkeyWork.CodeSandbox.Local.Tests.trx" kubernetes_trx="$results/DonkeyWork.CodeSandbox.Kubernetes.Tests.trx"
if [ -s "$local_trx" ] && [ -s "$kubernetes_trx" ]; then
    local_tests=$(tests_of LocalBackendContractTests "$local_trx")
    kubernetes_tests=$(tests_of KubernetesBackendContractTests "$kubernetes_trx")
    say "" && say "contract tests per backend: Local $local_tests, Kubernetes $kubernetes_tests"
    if [ "$local_tests" -eq 0 ] || [ "$local_tests" -ne "$kubernetes_tests" ]; then
        broken+=("the contract tests of the backends (not the same number, or none)")
        failed=$((failed + 1))
    fi
fi

if [ ${#on_clusters[@]} -gt 0 ]; then
    say ""
    stop_clusters || { failed=$((failed + 1)) && broken+=("test clusters (not stopped, or something of them is left)"); }
fi

say ""
for line in "${broken[@]}"; do say "broken suite: $line"; done
[ "$skipped" -eq 0 ] || say "skipped tests are not allowed here"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ] && [ "$passed" -gt 0 ]
