using System.Text.Json;
using System.Text.Json.Serialization;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Connecting.Tokens;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Requests;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>What stays between the API server, or a plug-in, and this client.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ExecCredential))]
[JsonSerializable(typeof(StatusDocument))]
[JsonSerializable(typeof(DeleteDocument))]
[JsonSerializable(typeof(LeaseDocument))]
[JsonSerializable(typeof(ResourceQuotaDocument))]
internal sealed partial class WireJsonContext : JsonSerializerContext;
