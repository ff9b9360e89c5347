namespace DonkeyWork.CodeSandbox.Cluster.Tests.WarmPool;

/// <summary>What strikes in the middle of a storm, by its progress and not by the clock.</summary>
internal static class StormFaults
{
    /// <summary>Kills Managers at random between two numbers of answers, and in the middle the API server.</summary>
    public static async Task StrikeAsync(ClaimStorm storm, ManagerFleet fleet, Random random, Range answers, int kills, Func<Task> restartApiServer)
    {
        var moments = Enumerable.Range(0, kills).Select(_ => random.Next(answers.Start.Value, answers.End.Value)).Order().ToList();
        for (var i = 0; i < kills; i++)
        {
            await storm.Answered(moments[i]);
            await fleet.KillAndReplaceAsync(random.Next(fleet.Count));
            if (i == kills / 2) await restartApiServer();
        }
    }
}
