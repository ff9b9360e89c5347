#!/usr/bin/env bash
# Keys, certificates and kubeconfigs of a cluster, made once. Called by ../up.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/../cluster.sh"
choose_cluster "$cluster"
[ ! -s "$state/kubeconfig" ] || exit 0
rm -rf "$pki"
mkdir -p -m 700 "$pki"
cd "$pki"

new_key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)

# certificate NAME SUBJECT EXTENSIONS: NAME.key and NAME.crt, signed by our authority.
certificate() {
    openssl req -new "${new_key[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 -out "$1.crt" \
        -extfile <(printf 'keyUsage=digitalSignature,keyEncipherment\n%s\n' "$3")
    rm "$1.csr"
}
server_certificate() { certificate "$1" "$2" "extendedKeyUsage=serverAuth"$'\n'"subjectAltName=$3"; }
client_certificate() { certificate "$1" "$2" extendedKeyUsage=clientAuth; }

# kubeconfig NAME: NAME.kubeconfig, with the certificate of that name.
kubeconfig() {
    cat >"$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters:
- name: codesandbox-test-$cluster
  cluster: {server: "$server", certificate-authority-data: $(base64 -w0 ca.crt)}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}
contexts:
- name: $1
  context: {cluster: codesandbox-test-$cluster, user: $1}
current-context: $1
YAML
}

openssl req -x509 "${new_key[@]}" -days 3650 -subj "/CN=codesandbox-test-$cluster" -keyout ca.key -out ca.crt
server_certificate apiserver /CN=kube-apiserver "IP:127.0.0.1,IP:$node_address,IP:$api_service,DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc"
server_certificate kubelet-server /CN=test-node "IP:$node_address,DNS:test-node"
client_certificate apiserver-kubelet /O=system:masters/CN=apiserver-kubelet
client_certificate admin /O=system:masters/CN=admin
client_certificate kube-scheduler /CN=system:kube-scheduler
client_certificate kube-controller-manager /CN=system:kube-controller-manager
client_certificate kubelet /O=system:nodes/CN=system:node:test-node
for name in admin kube-scheduler kube-controller-manager kubelet; do kubeconfig "$name"; done

openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out service-account.key
openssl pkey -in service-account.key -pubout -out service-account.pub
# The bearer token of the same administrator, for clients that take one.
openssl rand -hex 16 >token
echo "$(cat token),admin-by-token,admin-by-token,\"system:masters\"" >tokens.csv

cp admin.kubeconfig "$state/kubeconfig.part"
mv "$state/kubeconfig.part" "$state/kubeconfig" # last: it tells that all the rest is there
