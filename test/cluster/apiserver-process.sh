# The API server of the chosen cluster as a process; sourced by up.sh and apiserver.sh, so that both start the same one.

start_apiserver() {
    local options=(
        --etcd-servers=http://127.0.0.1:2379
        --bind-address=0.0.0.0 --secure-port=443 --insecure-port=0
        --advertise-address="$node_address" --endpoint-reconciler-type=none
        --service-cluster-ip-range="$service_network"
        --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key"
        --client-ca-file="$pki/ca.crt" --token-auth-file="$pki/tokens.csv"
        --anonymous-auth=true --authorization-mode=Node,RBAC --allow-privileged=true --profiling=false
        --service-account-issuer=https://kubernetes.default.svc
        --service-account-key-file="$pki/service-account.pub" --service-account-signing-key-file="$pki/service-account.key"
        --kubelet-client-certificate="$pki/apiserver-kubelet.crt" --kubelet-client-key="$pki/apiserver-kubelet.key"
        --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP
        --audit-policy-file="$here/etc/audit-policy.yaml" --audit-log-path="$state/audit.log" --audit-log-maxsize=2000
    )
    # Nothing makes service accounts on the control cluster, and a pod must not wait for one.
    [ "$cluster" != control ] || options+=(--disable-admission-plugins=ServiceAccount)
    start_process kube-apiserver "$kubernetes/kube-apiserver" "${options[@]}"
    wait_for_process kube-apiserver 90 apiserver_is_ready
}

apiserver_is_ready() {
    [ "$(curl -s --max-time 5 --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" "$server/readyz")" = ok ]
}
