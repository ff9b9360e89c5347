#!/usr/bin/env bash
# unpack-kubernetes.sh DIRECTORY: takes Kubernetes from DIRECTORY/PROGRAM.xz, each checked against DIRECTORY/SHA256SUMS.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"

work=$(mktemp -d "$cache/kubernetes-XXXXXX")
trap 'rm -rf "$work"' EXIT
for program in kube-apiserver kube-scheduler kube-controller-manager kubelet; do
    xz -dc "$1/$program.xz" >"$work/$program"
    awk -v name="$program" '$2 == name' "$1/SHA256SUMS" | (cd "$work" && sha256sum --check --strict -)
    chmod 755 "$work/$program"
done
chmod 755 "$work"
rm -rf "$kubernetes"
mv "$work" "$kubernetes"
