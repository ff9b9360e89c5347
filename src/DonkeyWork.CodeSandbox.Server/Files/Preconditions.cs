using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace DonkeyWork.CodeSandbox.Server.Files;

/// <summary>The conditions of RFC 9110, section 13, in the order of its 13.2.2.</summary>
internal static class Preconditions
{
    /// <summary>Of a file that is read.</summary>
    /// <returns>Whether the caller has it already: 304.</returns>
    /// <exception cref="RequestException">412; 400 for a condition that is none.</exception>
    public static bool AreNotModified(HttpRequest request, FileStatus status)
    {
        var tag = new EntityTagHeaderValue(status.Tag);
        var headers = request.GetTypedHeaders();
        if (Tags(request.Headers.IfMatch, "If-Match") is { } wanted)
            Require(wanted.Any(one => Matches(one, tag, strong: true)), "If-Match");
        else if (headers.IfUnmodifiedSince is { } before)
            Require(ModifiedSecond(status) <= before, "If-Unmodified-Since");
        return Tags(request.Headers.IfNoneMatch, "If-None-Match") is { } known
            ? known.Any(one => Matches(one, tag, strong: false))
            : headers.IfModifiedSince is { } since && ModifiedSecond(status) <= since;
    }

    /// <summary>Of a file that is to be written; <see langword="null"/>: it is not there.</summary>
    /// <exception cref="RequestException">412; 400 for a condition that is none.</exception>
    public static void RequireBeforeWrite(HttpRequest request, FileStatus? status)
    {
        var tag = status is { } found ? new EntityTagHeaderValue(found.Tag) : null;
        if (Tags(request.Headers.IfMatch, "If-Match") is { } wanted)
            Require(tag is not null && wanted.Any(one => Matches(one, tag, strong: true)), "If-Match");
        if (Tags(request.Headers.IfNoneMatch, "If-None-Match") is { } unwanted)
            Require(tag is null || !unwanted.Any(one => Matches(one, tag, strong: false)), "If-None-Match");
    }

    /// <summary>Whether only what is not there yet may be written.</summary>
    public static bool ForbidReplacing(HttpRequest request) =>
        Tags(request.Headers.IfNoneMatch, "If-None-Match")?.Any(tag => tag.Equals(EntityTagHeaderValue.Any)) == true;

    /// <summary>Whether a range is still of the same file (13.1.5).</summary>
    public static bool RangeHolds(HttpRequest request, FileStatus status)
    {
        if (request.Headers.IfRange.Count == 0)
            return true;
        var condition = request.GetTypedHeaders().IfRange;
        return condition?.EntityTag is { } tag
            ? tag.Compare(new EntityTagHeaderValue(status.Tag), useStrongComparison: true)
            : condition?.LastModified == ModifiedSecond(status);
    }

    /// <summary>HTTP's dates have no fractions.</summary>
    public static DateTimeOffset ModifiedSecond(FileStatus status) => DateTimeOffset.FromUnixTimeSeconds(status.Modified.Nearest.ToUnixTimeSeconds());

    private static IList<EntityTagHeaderValue>? Tags(StringValues header, string name) =>
        header.Count == 0 ? null
        : EntityTagHeaderValue.TryParseStrictList([.. header.OfType<string>()], out var tags) ? tags
        : throw new RequestException(StatusCodes.Status400BadRequest, ErrorCodes.InvalidRequest, $"{name} must be * or tags as ETag gives them, with their quotes.");

    private static bool Matches(EntityTagHeaderValue wanted, EntityTagHeaderValue tag, bool strong) =>
        wanted.Equals(EntityTagHeaderValue.Any) || wanted.Compare(tag, strong);

    private static void Require(bool condition, string header)
    {
        if (!condition)
            throw new RequestException(StatusCodes.Status412PreconditionFailed, ErrorCodes.PreconditionFailed, $"{header} does not hold.");
    }
}
