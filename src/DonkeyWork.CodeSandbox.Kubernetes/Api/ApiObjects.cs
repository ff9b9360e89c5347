using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api;

/// <summary>
/// The objects of one kind in one namespace. Every call takes at most 10 s and throws <see cref="ApiException"/> for what
/// the API server refuses and <see cref="ApiUnreachableException"/> where there is no answer.
/// </summary>
/// <typeparam name="T">What is read of an object.</typeparam>
public sealed class ApiObjects<T> where T : class, IApiObject
{
    /// <summary>Creates an object.</summary>
    /// <param name="manifest">The whole object as the API server wants it.</param>
    /// <param name="type">How it is written.</param>
    /// <param name="cancellationToken">Gives up waiting; the object may exist nevertheless.</param>
    public Task<T> CreateAsync<TManifest>(TManifest manifest, JsonTypeInfo<TManifest> type, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    /// <summary>Reads one object.</summary>
    /// <exception cref="ApiException"><see cref="ApiException.IsNotFound"/>: there is none.</exception>
    public Task<T> GetAsync(string name, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Reads all objects, a page at a time, all as of one moment.</summary>
    /// <param name="labelSelector">Only those that match, for example <c>app=a,tier!=b</c>.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public Task<IReadOnlyList<T>> ListAsync(string? labelSelector, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Changes an object.</summary>
    /// <exception cref="ApiException"><see cref="ApiException.IsPatchTestFailed"/>: a test of the patch failed, and nothing has changed.</exception>
    public Task<T> PatchAsync(string name, JsonPatch patch, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>Deletes an object, if it is still the one that is meant.</summary>
    /// <exception cref="ApiException"><see cref="ApiException.IsNotFound"/>: there is none; <see cref="ApiException.IsConflict"/>: it is another.</exception>
    public Task DeleteAsync(string name, DeletePreconditions preconditions, CancellationToken cancellationToken) => throw new NotImplementedException();

    /// <summary>
    /// First everything that exists (<see cref="ApiListed{T}"/>), then every change in order, for ever, on a connection of
    /// its own. What breaks is mended inside; where changes may have been missed, by a new <see cref="ApiListed{T}"/>.
    /// </summary>
    public async IAsyncEnumerable<ApiObservation<T>> WatchAsync(string? labelSelector, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        yield break;
    }
}
