using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using Microsoft.AspNetCore.WebUtilities;

namespace DonkeyWork.CodeSandbox.Server.Http;

/// <summary>Turns every failure into <c>application/problem+json</c>, and a stream that fails into a connection that breaks.</summary>
internal sealed partial class ProblemMiddleware(RequestDelegate next, ILogger<ProblemMiddleware> logger)
{
    private static readonly TimeSpan Linger = TimeSpan.FromSeconds(2);

    public async Task InvokeAsync(HttpContext context)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response.StatusCode is StatusCodes.Status404NotFound)
                await WriteAsync(context, StatusCodes.Status404NotFound, ErrorCodes.NotFound, "There is no such route.");
            else if (!context.Response.HasStarted && context.Response.StatusCode is StatusCodes.Status405MethodNotAllowed)
                await WriteAsync(context, StatusCodes.Status405MethodNotAllowed, ErrorCodes.MethodNotAllowed, $"The route takes {context.Response.Headers.Allow}.");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller is gone: nobody is left to be told.
        }
        catch (RequestException) when (context.Response.HasStarted)
        {
            // What is streamed was deleted.
            context.Abort();
        }
        catch (Exception error) when (context.Response.HasStarted)
        {
            // A stream that is cut must not look complete.
            LogUnexpected(error, context.Request.Path);
            context.Abort();
        }
        catch (RequestException error)
        {
            if (error.RetryAfterSeconds is { } seconds)
                context.Response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
            await WriteAsync(context, error.Status, error.Code, error.Message, error);
        }
        catch (BadHttpRequestException error)
        {
            var code = error.StatusCode == StatusCodes.Status413PayloadTooLarge ? ErrorCodes.BodyTooLarge : ErrorCodes.InvalidRequest;
            await WriteAsync(context, error.StatusCode, code, error.Message);
        }
        catch (Exception error)
        {
            LogUnexpected(error, context.Request.Path);
            await WriteAsync(context, StatusCodes.Status500InternalServerError, ErrorCodes.InternalError, "The executor has failed; its log says why.");
        }
    }

    private static async Task WriteAsync(
        HttpContext context, int status, string code, string detail, RequestException? request = null)
    {
        var problem = new Problem
        {
            Type = "about:blank",
            Title = ReasonPhrases.GetReasonPhrase(status),
            Status = status,
            Detail = detail,
            Code = code,
            Errors = request?.Errors,
            Offset = request?.Offset,
            Unpacked = request?.Unpacked,
        };
        var body = JsonSerializer.SerializeToUtf8Bytes(problem, ContractsJsonContext.Default.Problem);
        context.Response.StatusCode = status;
        context.Response.ContentType = Problem.MediaType;
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
        await context.Response.CompleteAsync();
        await ReadAwayAsync(context);
    }

    /// <summary>
    /// A connection that is closed with something unread is reset, and a proxy that still sends would see that before the
    /// answer (RFC 9112, section 9.6).
    /// </summary>
    private static async Task ReadAwayAsync(HttpContext context)
    {
        using var limit = new CancellationTokenSource(Linger, TimeProvider.System);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, context.RequestAborted);
        try
        {
            await context.Request.Body.CopyToAsync(Stream.Null, either.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or BadHttpRequestException)
        {
            // It was told.
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "{Path} failed.")]
    private partial void LogUnexpected(Exception error, PathString path);
}
