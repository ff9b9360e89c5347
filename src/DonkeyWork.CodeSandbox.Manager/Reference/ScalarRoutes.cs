namespace DonkeyWork.CodeSandbox.Manager.Reference;

/// <summary><c>/scalar/v1</c>: the API to read and to try, from our own files alone.</summary>
internal static class ScalarRoutes
{
    // Of other origins nothing is loaded and nothing is called; styles and images the bundle carries in itself.
    private const string Policy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        + "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "wwwroot", "scalar");

    public static void MapScalar(this IEndpointRouteBuilder app)
    {
        var scalar = app.MapGroup("/scalar").ExcludeFromDescription();
        scalar.MapGet("", () => TypedResults.Redirect("/scalar/v1"));
        scalar.MapGet("/v1", context => SendPageAsync(context.Response));
        scalar.MapGet("/start.js", () => Script("start.js"));
        scalar.MapGet("/standalone.js", () => Script("standalone.js"));
    }

    private static Task SendPageAsync(HttpResponse response)
    {
        response.ContentType = "text/html; charset=utf-8";
        response.Headers.ContentSecurityPolicy = Policy;
        response.Headers["Referrer-Policy"] = "no-referrer";
        var page = File.Exists(Path.Combine(Folder, "standalone.js")) ? "page.html" : "missing.html";
        return response.SendFileAsync(Path.Combine(Folder, page));
    }

    private static IResult Script(string name)
    {
        var file = new FileInfo(Path.Combine(Folder, name));
        return file.Exists
            ? TypedResults.PhysicalFile(file.FullName, "text/javascript; charset=utf-8", lastModified: file.LastWriteTimeUtc)
            : TypedResults.NotFound();
    }
}
