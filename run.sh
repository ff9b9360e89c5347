#!/usr/bin/env bash
# The main job on this machine: start the Manager, or run one command in a sandbox of its own.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/build/common.sh"

if [ "${1-}" = --help ] || [ "${1-}" = -h ]; then
    cat <<'HELP'
Usage:
  ./run.sh                      start the Manager on http://127.0.0.1:8668, with two warm sandboxes; Ctrl+C ends it and
                                all sandboxes, after 5 s for requests that are open (a second one: at once)
  ./run.sh --KEY=VALUE ...      the same with settings, such as --Local:Runtime=runsc or --urls=http://127.0.0.1:9000
  ./run.sh [--KEY=VALUE ...] "COMMAND"
                                create a sandbox, run COMMAND in it with bash and what is piped in as its input,
                                stream what it prints, delete it, and exit with COMMAND's exit code (125: it could not be run,
                                130: interrupted, 1: a setting or the machine is unusable); asks the Manager that runs already on the
                                same --Local:StateDirectory, if one does, and otherwise is one without a pool

A sandbox that nothing uses goes after 5 minutes, and any after 15: --KataContainerManager:IdleTimeoutMinutes=60,
--KataContainerManager:MaxContainerLifetimeMinutes=240.

The first run builds what is needed and, as root, installs what is missing (runc, e2fsprogs, a C compiler).
As an ordinary user it says what to install, and starts sandboxes rootless where cgroup v2 is delegated.
HELP
    exit
fi

require_sdk
require_packages "${native_build_packages[@]}" "${local_backend_packages[@]}"
build_executor
build_api_reference
build_manager

manager=("$artifacts/manager/codesandbox-manager")
for argument in "$@"; do
    case $argument in
        --) manager+=(run) && break ;;
        --*) ;;
        -*) say "error: unknown option $argument; see ./run.sh --help" && exit 2 ;;
        *) manager+=(run) && break ;;
    esac
done

# For one person at one machine: a small pool, and a Ctrl+C that does not wait for long.
export KataContainerManager__WarmPoolSize="${KataContainerManager__WarmPoolSize-2}"
export KataContainerManager__DrainSeconds="${KataContainerManager__DrainSeconds-5}"

# An ordinary user's session has no cgroup of its own; systemd hands one out.
if [ "$(id -u)" -ne 0 ] && [ -z "${CODESANDBOX_SCOPE-}" ] && [ -e /sys/fs/cgroup/cgroup.controllers ] &&
    command -v systemd-run >/dev/null && systemctl --user show-environment >/dev/null 2>&1; then
    export CODESANDBOX_SCOPE=1
    exec systemd-run --user --scope --quiet --property=Delegate=yes -- "${manager[@]}" "$@"
fi
exec "${manager[@]}" "$@"
