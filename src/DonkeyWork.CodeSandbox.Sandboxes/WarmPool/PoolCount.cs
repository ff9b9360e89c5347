using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Sandboxes;

/// <summary>Counts what there is.</summary>
internal static class PoolCount
{
    public static PoolStatistics Of(IEnumerable<Sandbox> sandboxes, int target, int limit)
    {
        int creating = 0, warm = 0, allocated = 0, manual = 0;
        foreach (var sandbox in sandboxes.Where(sandbox => sandbox.IsAlive))
        {
            if (sandbox.PoolStatus == PoolStatus.Manual) manual++;
            else if (sandbox.PoolStatus == PoolStatus.Allocated) allocated++;
            else if (sandbox.IsReady) warm++;
            else creating++;
        }

        var total = creating + warm + allocated + manual;
        return new PoolStatistics
        {
            Creating = creating,
            Warm = warm,
            Allocated = allocated,
            Manual = manual,
            Total = total,
            TargetSize = target,
            MaxTotalContainers = limit,
            ReadyPercentage = Percentage(warm, target),
            UtilizationPercentage = Percentage(allocated + manual, total),
            WarmCount = warm,
            AllocatedCount = allocated,
            TotalCount = total,
        };
    }

    private static double Percentage(int part, int whole) => whole == 0 ? 0 : Math.Round(part * 100.0 / whole, 1);
}
