using System.Text.Json.Nodes;
using DonkeyWork.CodeSandbox.Contracts;
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
            SetExample(operation.Responses!.First(response => response.Key.StartsWith('2')).Value.Content!, answer);
            return Task.CompletedTask;
        });

    /// <summary>An example of the request's body, where the success answers with none.</summary>
    public static TBuilder WithRequestExample<TBuilder>(this TBuilder builder, JsonNode request)
        where TBuilder : IEndpointConventionBuilder => builder.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            SetExample(operation.RequestBody!.Content!, request);
            return Task.CompletedTask;
        });

    /// <summary>The problems that it may answer with.</summary>
    public static TBuilder WithErrors<TBuilder>(this TBuilder builder, params int[] statuses)
        where TBuilder : IEndpointConventionBuilder
    {
        foreach (var status in statuses)
            builder.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(Problem), [Problem.MediaType]));
        return builder;
    }

    /// <summary>A parameter that the executor reads, from the query or from a header.</summary>
    public static TBuilder WithParameter<TBuilder>(
        this TBuilder builder, string name, JsonSchemaType type, string description, bool isRequired = false, ParameterLocation location = ParameterLocation.Query)
        where TBuilder : IEndpointConventionBuilder => builder.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(new OpenApiParameter { Name = name, In = location, Required = isRequired, Description = description, Schema = new OpenApiSchema { Type = type } });
            return Task.CompletedTask;
        });

    /// <summary>It needs no key, even where one is configured.</summary>
    public static TBuilder WithoutKey<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Security = [];
            return Task.CompletedTask;
        });

    // Of several forms the first is what it is an example of.
    private static void SetExample(IDictionary<string, OpenApiMediaType> content, JsonNode example) => content.Values.First().Example = example;
}
