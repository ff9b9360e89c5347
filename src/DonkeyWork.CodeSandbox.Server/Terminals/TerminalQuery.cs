using System.Globalization;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Terminals;

/// <summary>What is asked for in the address of a terminal.</summary>
/// <param name="ExecutionId">Its name; without one nobody can come back to it.</param>
/// <param name="Command">Given to <c>/bin/bash -c</c>; without one it is a login shell.</param>
/// <param name="Columns">Its width, where one was given.</param>
/// <param name="Rows">Its height, where one was given.</param>
internal sealed record TerminalQuery(string? ExecutionId, string? Command, int? Columns, int? Rows)
{
    /// <summary>Where nobody says otherwise, the size that programs expect.</summary>
    private const int DefaultColumns = 80;
    private const int DefaultRows = 24;

    /// <summary>How much it keeps: twice what is replayed, so that a slow reader holds the program before much has piled up.</summary>
    private const long KeepOutputBytes = 512 * 1024;

    /// <summary>Whether a size was asked for.</summary>
    public bool HasSize => Columns is not null || Rows is not null;

    /// <summary>The size asked for.</summary>
    public TerminalSize Size => new() { Cols = Columns ?? DefaultColumns, Rows = Rows ?? DefaultRows };

    /// <summary>The execution that it is.</summary>
    public StartExecutionRequest Request => new()
    {
        Id = ExecutionId,
        Command = Command,
        Argv = Command is null ? ["bash", "-l"] : null,
        Environment = new Dictionary<string, string> { ["TERM"] = "xterm-256color" },
        Pty = Size,
        KeepOutputBytes = KeepOutputBytes,
        Overflow = OverflowPolicy.Wait,
    };

    /// <summary>Reads it.</summary>
    /// <exception cref="RequestException">With <c>invalid_request</c>, naming every wrong parameter.</exception>
    public static TerminalQuery Parse(IQueryCollection query)
    {
        var errors = new Dictionary<string, string[]>();
        var parsed = new TerminalQuery(Text("execution"), Text("command"), Number("cols"), Number("rows"));
        return errors.Count == 0 ? parsed : throw Json.InvalidFields(errors);

        string? Text(string name)
        {
            var values = query[name];
            if (values.Count > 1)
                errors[name] = ["is given more than once"];
            return values.Count == 0 ? null : values[0];
        }

        int? Number(string name)
        {
            if (Text(name) is not { } text)
                return null;
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number is >= 1 and <= ushort.MaxValue)
                return number;
            errors[name] = [$"must be a number from 1 to {ushort.MaxValue}"];
            return null;
        }
    }
}
