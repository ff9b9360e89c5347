#!/usr/bin/env bash
# localhost/pause:1 (what keeps a pod's namespaces) and localhost/busybox:1 (for tests) as docker archives, in the cache.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"

work=$(mktemp -d "$cache/images-XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/made"

# image NAME CMD: packs the directory NAME of the work directory as localhost/NAME:1; CMD is a JSON array.
image() {
    local name=$1 cmd=$2
    mkdir "$work/archive"
    tar -C "$work/$name" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf "$work/archive/layer.tar" .
    cat >"$work/archive/config.json" <<JSON
{"architecture": "$(dpkg --print-architecture)", "os": "linux", "created": "1970-01-01T00:00:00Z",
 "config": {"Cmd": $cmd, "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
 "rootfs": {"type": "layers", "diff_ids": ["sha256:$(sha256sum "$work/archive/layer.tar" | cut -d' ' -f1)"]},
 "history": [{"created": "1970-01-01T00:00:00Z"}]}
JSON
    echo "[{\"Config\": \"config.json\", \"RepoTags\": [\"localhost/$name:1\"], \"Layers\": [\"layer.tar\"]}]" >"$work/archive/manifest.json"
    tar -C "$work/archive" -cf "$work/made/$name.tar" manifest.json config.json layer.tar
    rm -r "$work/archive"
}

mkdir "$work/pause"
cc -Os -static -s -Wall -Wextra -Werror -o "$work/pause/pause" "$here/etc/pause.c"
image pause '["/pause"]'

mkdir -p "$work/busybox"/{bin,etc,root}
mkdir -m 1777 "$work/busybox/tmp"
cp "$programs/bin/busybox" "$work/busybox/bin/"
chroot "$work/busybox" /bin/busybox --install -s /bin
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$work/busybox/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$work/busybox/etc/group"
image busybox '["/bin/sh"]'

rm -rf "$cache/images"
mv "$work/made" "$cache/images"
