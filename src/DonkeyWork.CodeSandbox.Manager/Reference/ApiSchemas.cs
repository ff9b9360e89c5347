using System.Globalization;
using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.OpenApi;

namespace DonkeyWork.CodeSandbox.Manager.Reference;

/// <summary>What the API document says of the contract's types beyond what their declarations tell.</summary>
internal static class ApiSchemas
{
    public static void Complete(OpenApiDocument document)
    {
        var execute = Schema(document, nameof(ExecuteRequest));
        Require(execute, "command");
        Bound(execute, "timeoutSeconds", 1, ExecuteRequest.MaxTimeoutSeconds, ExecuteRequest.DefaultTimeoutSeconds);

        var allocate = Schema(document, nameof(AllocateRequest));
        Require(allocate, "userId");
        foreach (var id in (string[])["userId", "claimId"]) (Property(allocate, id).MinLength, Property(allocate, id).MaxLength) = (1, AllocateRequest.MaxIdLength);
        // Its upper bound is the operator's.
        Property(allocate, "timeoutSeconds").Minimum = "1";
        Bound(allocate, "waitSeconds", 0, AllocateRequest.MaxWaitSeconds, 0);
        Bound(Schema(document, nameof(KeepAliveRequest)), "seconds", 0, KeepAliveRequest.MaxSeconds, 0);

        // Nullable in code, where clients meet foreign problems; ours are complete.
        var problem = Schema(document, nameof(Problem));
        Require(problem, "title", "status", "detail", "code");
        Property(problem, "code").Enum = [.. ErrorCodeValues().Select(code => (JsonNode)code)];
    }

    private static OpenApiSchema Schema(OpenApiDocument document, string name) => (OpenApiSchema)document.Components!.Schemas![name];

    private static OpenApiSchema Property(OpenApiSchema schema, string name) => (OpenApiSchema)schema.Properties![name];

    private static void Bound(OpenApiSchema schema, string name, int minimum, int maximum, int whenMissing)
    {
        var property = Property(schema, name);
        property.Minimum = minimum.ToString(CultureInfo.InvariantCulture);
        property.Maximum = maximum.ToString(CultureInfo.InvariantCulture);
        property.Default = whenMissing;
    }

    private static void Require(OpenApiSchema schema, params string[] names)
    {
        schema.Required = new SortedSet<string>(names, StringComparer.Ordinal);
        foreach (var name in names) Property(schema, name).Type &= ~JsonSchemaType.Null;
    }

    private static IEnumerable<string> ErrorCodeValues() =>
        typeof(ErrorCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal);
}
