using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Manager.Reference;
using DonkeyWork.CodeSandbox.Manager.Relaying;
using Microsoft.OpenApi;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>The files of a sandbox, with the rights of its user.</summary>
internal static class FileRoutes
{
    private const string Json = RelayedRoutes.Json;
    private const string WhichPath = "Absolute, or relative to the home directory.";

    public static void Map(IEndpointRouteBuilder kata)
    {
        var app = kata.MapGroup("").WithTags("Files");

        app.MapRelayed(RelayedRoutes.ReadFile)
            .WithName("readFile")
            .WithSummary("Download a file, or a directory as tar")
            .WithDescription("With `Range`, `If-None-Match` and `If-Range`. A directory comes with `Accept: application/x-tar`. A file that shrinks while it is read aborts the response.")
            .WithPath()
            .WithParameter("Range", JsonSchemaType.String, "Such as `bytes=0-99`.", location: ParameterLocation.Header)
            .WithParameter("If-None-Match", JsonSchemaType.String, "Answers `304` where the file still has this `ETag`.", location: ParameterLocation.Header)
            .Produces<Stream>(200, RelayedRoutes.Bytes, RelayedRoutes.Tar)
            .Produces<Stream>(206, RelayedRoutes.Bytes)
            .Produces(304)
            .WithErrors(400, 403, 404, 409, 412, 416, 502, 503);

        app.MapRelayed(RelayedRoutes.DescribeFile)
            .WithName("describeFile")
            .WithSummary("Tell a file's size, age and kind")
            .WithDescription("In `Content-Length`, `Last-Modified`, `ETag`, `X-File-Type` and `X-File-Mode`. Errors have no body.")
            .WithPath()
            .Produces(200)
            .WithErrors(400, 403, 404, 409, 502, 503);

        app.MapRelayed(RelayedRoutes.WriteFile)
            .WithName("writeFile")
            .WithSummary("Upload a file, or unpack a tar into a directory")
            .WithDescription("Any number of bytes. Directories on the way are made; the file is written beside the old one and takes its place at the end, or not at all. `201` where there was none. "
                + "As `application/x-tar` the body is unpacked into the directory `path`.")
            .WithPath()
            .WithParameter("If-Match", JsonSchemaType.String, "`412` unless the file has this `ETag`.", location: ParameterLocation.Header)
            .WithParameter("If-None-Match", JsonSchemaType.String, "`*`: `412` where it is there already.", location: ParameterLocation.Header)
            .Accepts<Stream>(RelayedRoutes.Bytes, RelayedRoutes.Tar, RelayedRoutes.Anything)
            .Produces(201)
            .Produces(204)
            .WithErrors(400, 403, 404, 409, 412, 502, 503, 507);

        app.MapRelayed(RelayedRoutes.DeleteFile)
            .WithName("deleteFile")
            .WithSummary("Delete a file or a directory")
            .WithPath()
            .WithParameter("recursive", JsonSchemaType.Boolean, "Also what is in it.")
            .Produces(204)
            .WithErrors(400, 403, 404, 409, 502, 503);

        app.MapRelayed(RelayedRoutes.ListFiles)
            .WithName("listFiles")
            .WithSummary("List a directory")
            .WithPath()
            .WithParameter("depth", JsonSchemaType.Integer, "How many levels; default 1.")
            .Produces<IReadOnlyList<FileEntry>>(200, Json)
            .WithErrors(400, 403, 404, 409, 502, 503);

        app.MapRelayed(RelayedRoutes.MoveFile)
            .WithName("moveFile")
            .WithSummary("Move or rename a file or a directory")
            .Accepts<MoveFileRequest>(Json)
            .Produces(204)
            .WithRequestExample(ApiExamples.Move)
            .WithErrors(400, 403, 404, 409, 413, 415, 502, 503, 507);

        app.MapRelayed(RelayedRoutes.MakeDirectory)
            .WithName("makeDirectory")
            .WithSummary("Make a directory, with those on the way to it")
            .Accepts<MakeDirectoryRequest>(Json)
            .Produces(201)
            .Produces(204)
            .WithRequestExample(ApiExamples.MakeDirectory)
            .WithErrors(400, 403, 404, 409, 413, 415, 502, 503, 507);

        app.MapRelayed(RelayedRoutes.WatchFiles)
            .WithName("watchFiles")
            .WithSummary("Follow what happens to a file, or in a directory and below it")
            .WithDescription("`data: {json}` events. After `overflow` changes were lost: look at everything again.")
            .WithPath()
            .Produces<FileChange>(200, EventStream.MediaType)
            .WithErrors(400, 403, 404, 409, 429, 502, 503);
    }

    private static TBuilder WithPath<TBuilder>(this TBuilder builder)
        where TBuilder : IEndpointConventionBuilder => builder.WithParameter("path", JsonSchemaType.String, WhichPath, isRequired: true);
}
