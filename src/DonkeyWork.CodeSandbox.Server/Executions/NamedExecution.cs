using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>What an id stands for, from the moment that somebody asks for it: one start, whoever asks again.</summary>
/// <param name="id">The id.</param>
/// <param name="fingerprint">What was asked for.</param>
internal sealed class NamedExecution(string id, byte[] fingerprint)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource<Execution?> _start = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RequestException? _failure;
    private volatile Execution? _execution;
    private volatile bool _deleted;

    public string Id => id;

    /// <summary>The execution, once it has started.</summary>
    /// <exception cref="RequestException">With <c>execution_deleted</c>.</exception>
    public Execution? Started => _deleted ? throw Deleted() : _execution;

    /// <summary>The execution, unless it was deleted or has not started.</summary>
    public Execution? Listed => _execution;

    /// <summary>It runs.</summary>
    public void SetStarted(Execution execution)
    {
        _execution = execution;
        _start.SetResult(execution);
    }

    /// <summary>It does not, and the id is free again.</summary>
    public void SetFailed(RequestException failure)
    {
        _failure = failure;
        _start.SetResult(null);
    }

    /// <summary>The execution, for somebody who asks for the same start again; waits for the outcome of the first.</summary>
    /// <param name="sameFingerprint">What is asked for; <see langword="null"/>: whatever it is.</param>
    /// <exception cref="RequestException">With <c>execution_exists</c>, <c>execution_deleted</c>, or what the first start failed with.</exception>
    public async Task<Execution> AttachAsync(byte[]? sameFingerprint)
    {
        if (_deleted)
            throw Deleted();
        if (sameFingerprint is not null && !sameFingerprint.AsSpan().SequenceEqual(fingerprint))
            throw new RequestException(StatusCodes.Status409Conflict, ErrorCodes.ExecutionExists, $"'{id}' is the id of another command.");
        return await _start.Task ?? throw new RequestException(_failure!.Status, _failure.Code, _failure.Message) { RetryAfterSeconds = _failure.RetryAfterSeconds };
    }

    /// <summary>Kills and forgets the execution but not the id. Of any number at the same time one succeeds.</summary>
    /// <returns>Whether there was one: <see langword="false"/> when its start had failed.</returns>
    /// <exception cref="RequestException">With <c>execution_deleted</c>.</exception>
    /// <exception cref="IOException">The kernel refuses to kill it; it is not deleted.</exception>
    public async Task<bool> DeleteAsync()
    {
        await _start.Task;
        lock (_gate)
        {
            if (_deleted)
                throw Deleted();
            if (_execution is not { } execution)
                return false;
            // First its readers, who are not to take this for its end.
            execution.Forget();
            execution.Kill();
            _deleted = true;
            _execution = null;
            return true;
        }
    }

    private RequestException Deleted() =>
        new(StatusCodes.Status410Gone, ErrorCodes.ExecutionDeleted, $"'{id}' was deleted, and starts no second time.");
}
