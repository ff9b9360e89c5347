using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>A process could not be started.</summary>
internal sealed class StartFailedException(SpawnStep step, int errno) : Exception(Describe(step, errno))
{
    /// <summary>Whether the sandbox is full (processes or memory), so that the same start may succeed later.</summary>
    public bool IsTemporary { get; } = errno is Native.EAGAIN or Native.ENOMEM;

    private static string Describe(SpawnStep step, int errno)
    {
        var what = step switch
        {
            SpawnStep.Directory => "The working directory cannot be entered",
            SpawnStep.Exec => "The program cannot be executed",
            SpawnStep.Clone => "The sandbox has no room for another process",
            _ => "The process cannot be set up",
        };
        return $"{what}: {Marshal.GetPInvokeErrorMessage(errno)}.";
    }
}
