using System.Text;

namespace DonkeyWork.CodeSandbox.Client;

/// <summary>The options of an <see cref="ExecutorClient"/>.</summary>
public sealed record ExecutorClientOptions : ConnectionOptions
{
    /// <summary>The sandbox's token, where its executor asks for one.</summary>
    public string? Token { get; init; }

    /// <summary>What <c>ToString</c> shows: not the token, which must not reach a log that way.</summary>
    /// <param name="builder">Takes it.</param>
    protected override bool PrintMembers(StringBuilder builder)
    {
        base.PrintMembers(builder);
        builder.Append(", Token = ").Append(Token is null ? "none" : "set");
        return true;
    }
}
