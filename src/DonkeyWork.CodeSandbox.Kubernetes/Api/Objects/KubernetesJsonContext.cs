using System.Text.Json;
using System.Text.Json.Serialization;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>How the API's objects are read and written.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(LeaseManifest))]
public sealed partial class KubernetesJsonContext : JsonSerializerContext;
