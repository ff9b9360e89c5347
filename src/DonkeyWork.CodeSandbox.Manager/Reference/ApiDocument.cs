using System.Reflection;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace DonkeyWork.CodeSandbox.Manager.Reference;

/// <summary><c>/openapi/v1.json</c>: the same bytes whatever the configuration, so that it can be kept beside the code.</summary>
internal static class ApiDocument
{
    public static void AddApiDocument(this IServiceCollection services) => services.AddOpenApi("v1", options =>
    {
        options.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
        options.AddDocumentTransformer((document, _, _) =>
        {
            Describe(document);
            ApiSchemas.Complete(document);
            return Task.CompletedTask;
        });
    });

    private static void Describe(OpenApiDocument document)
    {
        document.Info = new OpenApiInfo
        {
            Title = "DonkeyWork CodeSandbox",
            Version = typeof(ApiDocument).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion,
            Description = "Self-hosted sandboxes for code that nobody has read. Every error is an application/problem+json with a stable code. "
                + "The key is asked for only where the Manager was given one.",
            License = new OpenApiLicense { Name = "MIT", Identifier = "MIT" },
        };
        // Where it is served from is where it is to be called.
        document.Servers = [];

        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>
        {
            ["ApiKey"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = "X-Api-Key" },
            ["Bearer"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer" },
        };

        // Either key, or none where none is configured.
        document.Security = [Requirement(document, "ApiKey"), Requirement(document, "Bearer"), []];
    }

    private static OpenApiSecurityRequirement Requirement(OpenApiDocument document, string scheme) =>
        new() { [new OpenApiSecuritySchemeReference(scheme, document)] = [] };
}
