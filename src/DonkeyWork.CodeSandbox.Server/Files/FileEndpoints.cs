using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions;
using DonkeyWork.CodeSandbox.Server.Files.Watching;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.AspNetCore.Http.Features;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>The routes below <c>/api/files</c>. Each request is a use of the sandbox for as long as it lasts.</summary>
internal sealed partial class FileEndpoints
{
    private const string Files = "/api/files";

    private readonly ExecutionRegistry _registry;
    private readonly ILogger<FileEndpoints> _logger;
    private readonly SandboxPath _paths;
    private readonly FileReader _reader;
    private readonly FileWriter _writer;
    private readonly DirectoryLister _lister;
    private readonly Deletion _deletion;
    private readonly Moves _moves;
    private readonly FileWatcher _watcher;

    /// <param name="registry">Is told of the use.</param>
    /// <param name="home">Where relative paths start.</param>
    /// <param name="timeProvider">The time now.</param>
    /// <param name="logger">Is told what broke off.</param>
    public FileEndpoints(ExecutionRegistry registry, string home, TimeProvider timeProvider, ILogger<FileEndpoints> logger)
    {
        _registry = registry;
        _logger = logger;
        _paths = new SandboxPath(home);
        _reader = new FileReader(_paths, timeProvider);
        _writer = new FileWriter(_paths);
        _lister = new DirectoryLister(_paths);
        _deletion = new Deletion(_paths);
        _moves = new Moves(_paths);
        _watcher = new FileWatcher(_paths, new WatchHub(timeProvider, logger), timeProvider);
    }

    /// <summary>Adds the routes.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet(Files, InUse(context => _reader.GetAsync(context, _registry.Touch)));
        routes.MapMethods(Files, [HttpMethods.Head], InUse(_reader.HeadAsync));
        routes.MapPut(Files, InUse(PutAsync));
        routes.MapDelete(Files, InUse(_deletion.DeleteAsync));
        routes.MapGet(Files + "/list", InUse(_lister.ListAsync));
        routes.MapGet(Files + "/watch", InUse(context => _watcher.WatchAsync(context, _registry.Touch)));
        routes.MapPost(Files + "/move", InUse(_moves.MoveAsync));
        routes.MapPost(Files + "/directory", InUse(MakeDirectoryAsync));
    }

    private Task PutAsync(HttpContext context)
    {
        context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        return _writer.PutAsync(context, _registry.Touch);
    }

    private async Task MakeDirectoryAsync(HttpContext context)
    {
        var request = await Json.ReadAsync(context, ContractsJsonContext.Default.MakeDirectoryRequest);
        using var place = _paths.Resolve(request.Path);
        if (place.Status is { Type: not FileEntryType.Directory })
            throw new FileSystemException(FileError.EEXIST);
        Directories.OpenOrMake(place).Dispose();
        context.Response.StatusCode = place.Status is null ? StatusCodes.Status201Created : StatusCodes.Status204NoContent;
    }

    private RequestDelegate InUse(RequestDelegate handle) => async context =>
    {
        using var open = _registry.CountStream();
        _registry.Touch();
        try
        {
            await handle(context);
        }
        catch (FileSystemException error) when (!context.Response.HasStarted)
        {
            throw FileErrors.Of(error);
        }
        catch (Exception error) when (error is FileSystemException or FileShrankException && !context.RequestAborted.IsCancellationRequested)
        {
            LogBrokenOff(error.Message);
            context.Abort();
        }
        finally
        {
            _registry.Touch();
        }
    };

    [LoggerMessage(Level = LogLevel.Debug, Message = "A response was broken off: {Reason}")]
    private partial void LogBrokenOff(string reason);
}
