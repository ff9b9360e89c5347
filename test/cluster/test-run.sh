# Both clusters around a run of the suites; sourced by test.sh. Started empty, stopped and wiped at the end.
# A cluster that someone has started by hand is used as it is, and left up.

# The settings of cluster.sh stay in the subshells that need them.
cluster_scripts="$root/test/cluster"
of_cluster() ( source "$cluster_scripts/cluster.sh" && choose_cluster "$1" && shift && "$@" )
print_variable() { echo "${!1}"; }

clusters_started=()

# start_clusters: installs and builds what is needed, starts both, and exports where they are. One run at a time has the
# clusters; descriptor 8 is its lock.
start_clusters() {
    local directory
    require_packages "${cluster_packages[@]}" "${image_packages[@]}"
    "$root/build/build-images.sh" >&2
    directory=$(of_cluster node print_variable cache)
    mkdir -p "$directory"
    exec 8>"$directory/test-run.lock"
    flock --nonblock 8 || { say "  waiting for another run that has the test clusters" && flock 8; }

    start_cluster control
    CODESANDBOX_TEST_CONTROL=$(of_cluster control print_variable state)
    CODESANDBOX_TEST_KUBECTL=$(of_cluster control print_variable kubectl)
    export CODESANDBOX_TEST_CONTROL CODESANDBOX_TEST_KUBECTL
    if [ -n "${CODESANDBOX_TEST_KUBECONFIG-}" ]; then
        say "  cluster node: yours, of $CODESANDBOX_TEST_KUBECONFIG (it must have the images already)"
        return
    fi
    start_cluster node
    CODESANDBOX_TEST_KUBECONFIG=$(of_cluster node print_variable state)/kubeconfig
    export CODESANDBOX_TEST_KUBECONFIG
    run_step "loading the images into the node" cluster-load "$cluster_scripts/load-image.sh" "$artifacts"/images/*.tar
}

# start_cluster node|control: the file test-run in its state says that it is a run's, also to the next run if this one is killed.
start_cluster() {
    local state
    state=$(of_cluster "$1" print_variable state)
    if [ -e "$state/test-run" ] || "$cluster_scripts/remains.sh" "$1" >/dev/null; then
        "$cluster_scripts/down.sh" "$1" --wipe 8>&-
        mkdir -p "$state"
        touch "$state/test-run"
        clusters_started+=("$1")
    else
        say "  cluster $1 is up already: it is used as it is, and left up"
    fi
    "$cluster_scripts/up.sh" "$1" >/dev/null 8>&-
    # What is said of a stopped cluster is worth something only if the same says more of a running one.
    ! "$cluster_scripts/remains.sh" "$1" >/dev/null || die "remains.sh finds nothing of cluster $1, which is up"
}

# stop_clusters: stops what start_clusters has started; lists what is left of it on this machine, and fails if anything is.
stop_clusters() {
    local cluster remains clean=0
    for cluster in "${clusters_started[@]}"; do
        "$cluster_scripts/down.sh" "$cluster" --wipe 8>&- || clean=1
        remains=$("$cluster_scripts/remains.sh" "$cluster") || { clean=1 && say "left of cluster $cluster:"$'\n'"$remains"; }
    done
    clusters_started=()
    return "$clean"
}
