#!/usr/bin/env bash
# Removes the sandbox of a pod (what keeps its namespaces) once it has stopped and no container is in it. Kubelet 1.20.2 tells the
# API server that a pod is gone only after that, and leaves it to a collector that comes by once a minute; later ones don't.
# Called by node.sh; asks containerd by its container runtime interface, which is gRPC.
set -euo pipefail
export LC_ALL=C # a length is in bytes

# cri METHOD MESSAGE: one call. The message is a protobuf of less than 128 bytes without a zero among them.
cri() {
    { printf '\0\0\0\0'"\\x$(printf %02x ${#2})%s" "$2"; } |
        curl -sf --max-time 10 --http2-prior-knowledge --unix-socket "$containerd_socket" -o - \
            -H 'Content-Type: application/grpc' -H 'TE: trailers' --data-binary @- "http://localhost/runtime.v1alpha2.RuntimeService/$1"
}
# ids: the first fields of 64 bytes (tag 0x0a, a line feed; length 0x40, an @). An annotation may have such a value, in a second field.
ids() { grep -aoE '^@[0-9a-f]{64}' | tr -d @ || true; }

stopped=$'\x0a\x04\x12\x02\x08\x01' # filter: state: SANDBOX_NOTREADY
while sleep 0.5; do
    for sandbox in $(cri ListPodSandbox "$stopped" | ids); do
        [ -n "$(cri ListContainers $'\x0a\x42\x1a\x40'"$sandbox" | ids)" ] && continue # filter: pod_sandbox_id
        cri RemovePodSandbox $'\x0a\x40'"$sandbox" >/dev/null && echo "removed $sandbox"
    done
done
