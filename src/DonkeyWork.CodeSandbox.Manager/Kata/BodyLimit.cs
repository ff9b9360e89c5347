using DonkeyWork.CodeSandbox.Manager.Relaying;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace DonkeyWork.CodeSandbox.Manager.Kata;

/// <summary>
/// Refuses request bodies above 1 MiB, but for routes that take bytes: those take any number of them, as slowly as they come. Kestrel's own limit would close the connection while the caller still sends, and
/// the caller would see a broken pipe in place of the answer; behind this one Kestrel reads the rest away.
/// </summary>
internal sealed class BodyLimit(RequestDelegate next)
{
    /// <summary>A command of 131,071 bytes takes six times as many where JSON escapes each; nothing else is that large.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>How much of a body that was refused is read away at most; whoever sends more is cut off.</summary>
    public const int MaxDrainedBytes = 64 * 1024 * 1024;

    public Task InvokeAsync(HttpContext context)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<RelayedRoute>() is { Takes: RelayedContent.Bytes })
        {
            context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
            if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
            return next(context);
        }

        if (context.Request.ContentLength > MaxBytes) throw TooLarge();
        if (context.Request.ContentLength is null) context.Request.Body = new CountingStream(context.Request.Body);
        return next(context);
    }

    private static BadHttpRequestException TooLarge() => new("The body is too large.", StatusCodes.Status413PayloadTooLarge);

    /// <summary>A chunked body tells its length only as it comes.</summary>
    private sealed class CountingStream(Stream body) : RequestBody
    {
        private long _count;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var count = await body.ReadAsync(buffer, cancellationToken);
            _count += count;
            return _count <= MaxBytes ? count : throw TooLarge();
        }
    }
}
