using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Posix;

namespace DonkeyWork.CodeSandbox.Server.Executions;

/// <summary>What every execution needs.</summary>
/// <param name="Trees">Starts it.</param>
/// <param name="Oom">Tells whether the kernel killed for want of memory.</param>
/// <param name="Place">Where its output goes.</param>
/// <param name="Time">The clock.</param>
/// <param name="Logger">Where failures go that nobody else is told of.</param>
internal sealed record ExecutionHost(IProcessTreeFactory Trees, OomCounter Oom, LogPlace Place, TimeProvider Time, ILogger<Execution> Logger);
