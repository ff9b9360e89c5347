using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace DonkeyWork.CodeSandbox.Kubernetes.Tests.Api;

internal static class Manifests
{
    public static JsonTypeInfo<JsonObject> Type => ManifestJsonContext.Default.JsonObject;

    public static JsonObject Pod(string name, string app = "test") => JsonNode.Parse($$$"""
        {
          "apiVersion": "v1", "kind": "Pod",
          "metadata": {"name": "{{{name}}}", "labels": {"app": "{{{app}}}"}, "annotations": {"codesandbox.donkeywork.dev/nonce": "n-{{{name}}}", "example.org/other": "x"} },
          "spec": {
            "runtimeClassName": "kata-qemu", "restartPolicy": "Never", "terminationGracePeriodSeconds": 2, "automountServiceAccountToken": false,
            "containers": [
              {"name": "another", "image": "registry.invalid/another:1"},
              {"name": "executor", "image": "registry.invalid/sandbox:1", "resources": {"requests": {"memory": "128Mi", "cpu": "250m"}, "limits": {"memory": "1Gi", "cpu": "1"} } }
            ]
          }
        }
        """)!.AsObject();
}

[JsonSerializable(typeof(JsonObject))]
internal sealed partial class ManifestJsonContext : JsonSerializerContext;
