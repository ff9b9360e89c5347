using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace DonkeyWork.CodeSandbox.Manager.Reference;

/// <summary>What the API document says of an operation beyond what its route tells by itself.</summary>
internal static class ApiOperations
{
    /// <summary>An example of the request's body and one of what the success answers with.</summary>
    public static TBuilder WithExamples<TBuilder>(this TBuilder builder, JsonNode request, JsonNode answer)
        where TBuilder : IEndpointConventionBuilder => builder.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            SetExample(operation.RequestBody!.Content!, request);
            SetExample(operation.Responses!["200"].Content!, answer);
            return Task.CompletedTask;
        });

    /// <summary>It needs no key, even where one is configured.</summary>
    public static TBuilder WithoutKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Security = [];
            return Task.CompletedTask;
        });

    private static void SetExample(IDictionary<string, OpenApiMediaType> content, JsonNode example) => content.Values.Single().Example = example;
}
