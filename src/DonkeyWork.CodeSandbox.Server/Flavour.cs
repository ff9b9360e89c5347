namespace DonkeyWork.CodeSandbox.Server;

/// <summary>How this executor was built.</summary>
internal static class Flavour
{
#if NATIVE_AOT
    private const string Compilation = "native-aot";
#else
    private const string Compilation = "jit";
#endif

#if NET10_0_OR_GREATER
    private const string Framework = "net10.0";
#else
    private const string Framework = "net9.0";
#endif

    /// <summary>Such as <c>native-aot net10.0</c>.</summary>
    public const string Name = $"{Compilation} {Framework}";
}
