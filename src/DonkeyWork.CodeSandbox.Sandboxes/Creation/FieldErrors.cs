namespace DonkeyWork.CodeSandbox.Sandboxes.Creation;

/// <summary>Collects what is wrong with a request, so that all of it is told at once.</summary>
internal sealed class FieldErrors
{
    private readonly Dictionary<string, List<string>> _errors = new(StringComparer.Ordinal);

    public void Add(string field, string error)
    {
        if (!_errors.TryGetValue(field, out var errors)) _errors[field] = errors = [];
        errors.Add(error);
    }

    /// <exception cref="InvalidSandboxException">Anything is wrong.</exception>
    public void ThrowIfAny()
    {
        if (_errors.Count > 0)
            throw new InvalidSandboxException(_errors.ToDictionary(field => field.Key, field => field.Value.ToArray(), StringComparer.Ordinal));
    }
}
