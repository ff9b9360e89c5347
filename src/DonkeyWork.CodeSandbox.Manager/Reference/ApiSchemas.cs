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
        var timeout = (OpenApiSchema)execute.Properties!["timeoutSeconds"];
        timeout.Default = ExecuteRequest.DefaultTimeoutSeconds;
        timeout.Minimum = "1";
        timeout.Maximum = ExecuteRequest.MaxTimeoutSeconds.ToString(CultureInfo.InvariantCulture);

        // Nullable in code, where clients meet foreign problems; ours are complete.
        var problem = Schema(document, nameof(Problem));
        Require(problem, "title", "status", "detail", "code");
        ((OpenApiSchema)problem.Properties!["code"]).Enum = [.. ErrorCodeValues().Select(code => (JsonNode)code)];
    }

    private static OpenApiSchema Schema(OpenApiDocument document, string name) => (OpenApiSchema)document.Components!.Schemas![name];

    private static void Require(OpenApiSchema schema, params string[] names)
    {
        schema.Required = new SortedSet<string>(names, StringComparer.Ordinal);
        foreach (var name in names) ((OpenApiSchema)schema.Properties![name]).Type &= ~JsonSchemaType.Null;
    }

    private static IEnumerable<string> ErrorCodeValues() =>
        typeof(ErrorCodes).GetFields().Where(field => field.IsLiteral).Select(field => (string)field.GetRawConstantValue()!).Order(StringComparer.Ordinal);
}
