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

say "Preparing"
require_sdk
require_packages "${native_build_packages[@]}" "${local_backend_packages[@]}" \
    runsc:runsc uidmap:newuidmap chromium:chromium curl:curl python3:/usr/bin/python3 nodejs:node npm:npm git:git iproute2:ip
build_executor
build_api_reference
build_manager
run_step "building the tests" build-tests dotnet build "$root" -c Release -nodeReuse:false

passed=0 failed=0 skipped=0 broken=()
results="$artifacts/test-results"
rm -rf "$results"

# counter NAME FILE: a number of the <Counters> element of a TRX file.
counter() { grep -o "<Counters [^>]*" "$2" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' || echo 0; }

for project in test/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    if [ $# -gt 0 ]; then
        wanted=
        for word in "$@"; do [[ $name == *"$word"* ]] && wanted=1; done
        [ -n "$wanted" ] || continue
    fi
    say "" && say "$name"
    trx="$results/$name.trx"
    # No suite may hang CI: it is ended, and counts as failed.
    status=0
    timeout --kill-after=30 1500 dotnet test "$project" -c Release --no-build --nologo \
        --logger "trx;LogFileName=$trx" --logger "console;verbosity=minimal" --blame-hang-timeout 300s --blame-hang-dump-type none \
        --results-directory "$results" </dev/null || status=$?
    if [ ! -s "$trx" ]; then
        broken+=("$name (no result, status $status)")
        failed=$((failed + 1))
        continue
    fi
    suite_total=$(counter total "$trx")
    suite_passed=$(counter passed "$trx")
    suite_failed=$(($(counter failed "$trx") + $(counter error "$trx") + $(counter timeout "$trx") + $(counter aborted "$trx")))
    # A suite that ended badly without a failed test to show for it has failed all the same.
    [ "$status" -eq 0 ] || [ "$suite_failed" -gt 0 ] || { suite_failed=1; broken+=("$name (status $status)"); }
    [ "$suite_total" -gt 0 ] || { suite_failed=1; broken+=("$name (no test)"); }
    passed=$((passed + suite_passed)) failed=$((failed + suite_failed))
    skipped=$((skipped + suite_total - suite_passed - $(counter failed "$trx")))
done

say ""
for line in "${broken[@]}"; do say "broken suite: $line"; done
[ "$skipped" -eq 0 ] || say "skipped tests are not allowed here"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ] && [ "$passed" -gt 0 ]
