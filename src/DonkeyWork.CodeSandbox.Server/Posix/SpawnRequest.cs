using System.Runtime.InteropServices;

namespace DonkeyWork.CodeSandbox.Server.Posix;

/// <summary>The step of a start that failed: <c>enum cs_step</c> of Native/codesandbox.h.</summary>
internal enum SpawnStep
{
    None,
    Clone,
    Setup,
    Directory,
    Exec,
}

/// <summary><c>struct cs_spawn_request</c> of Native/codesandbox.h.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SpawnRequest
{
    public byte* Path;
    public byte** Arguments;
    public byte** Environment;
    public byte* Directory;
    public int Input;
    public int Output;
    public int Error;
    public int Status;
    public int CgroupProcs;
    public int TakesTerminal;
    public long TasksLimit;
    public int Pid;
    public SpawnStep Step;
    public int Errno;
}
