using System.Buffers;
using System.Text;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Sandboxes.Creation;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>What a claim may ask for.</summary>
internal static class ClaimRules
{
    /// <exception cref="InvalidSandboxException">Fields are wrong; all are named.</exception>
    public static Claim Check(AllocateRequest request, SandboxOptions options)
    {
        var errors = new FieldErrors();
        CheckId("userId", request.UserId ?? "", errors);
        if (request.ClaimId is { } claimId) CheckId("claimId", claimId, errors);
        if (request.Labels is not null) LabelRules.Check(request.Labels, errors);
        if (request.EnvironmentVariables is { } environment) StartRules.Check(new CreateSandboxRequest { EnvironmentVariables = environment }, errors);
        CheckRange("timeoutSeconds", request.TimeoutSeconds, 1, options.MaxContainerLifetimeMinutes * 60, errors);
        CheckRange("waitSeconds", request.WaitSeconds, 0, AllocateRequest.MaxWaitSeconds, errors);
        errors.ThrowIfAny();
        return new Claim
        {
            Owner = request.UserId!,
            ClaimId = request.ClaimId,
            Environment = request.EnvironmentVariables,
            Labels = request.Labels,
            Lifetime = request.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
            Wait = TimeSpan.FromSeconds(request.WaitSeconds ?? 0),
            CreateIfExhausted = request.CreateIfExhausted,
        };
    }

    // It becomes an annotation and travels in JSON: anything printable, as long as it is Unicode.
    private static void CheckId(string field, string id, FieldErrors errors)
    {
        var length = 0;
        for (var rest = id.AsSpan(); rest.Length > 0; length++)
        {
            if (Rune.DecodeFromUtf16(rest, out var rune, out var used) != OperationStatus.Done || Rune.IsControl(rune))
            {
                errors.Add(field, "Contains a control character, or half of a surrogate pair.");
                return;
            }

            rest = rest[used..];
        }

        if (length is < 1 or > AllocateRequest.MaxIdLength) errors.Add(field, $"Must be 1-{AllocateRequest.MaxIdLength} characters.");
    }

    private static void CheckRange(string field, int? value, int min, int max, FieldErrors errors)
    {
        if (value < min || value > max) errors.Add(field, $"Must be {min}-{max}.");
    }
}
