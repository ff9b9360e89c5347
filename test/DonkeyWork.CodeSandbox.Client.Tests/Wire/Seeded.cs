using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>Random things whose seed is in the test's output; set <c>TEST_SEED</c> to have the same again.</summary>
internal static class Seeded
{
    public static Random Random(ITestOutputHelper output)
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("TEST_SEED"), out var given) ? given : System.Random.Shared.Next();
        output.WriteLine($"TEST_SEED={seed}");
        return new LockedRandom(seed);
    }

    // Servers ask from several threads.
    private sealed class LockedRandom(int seed) : Random(seed)
    {
        private readonly Lock _lock = new();

        public override int Next(int maxValue)
        {
            lock (_lock)
                return base.Next(maxValue);
        }

        public override int Next(int minValue, int maxValue)
        {
            lock (_lock)
                return base.Next(minValue, maxValue);
        }

        public override void NextBytes(byte[] buffer)
        {
            lock (_lock)
                base.NextBytes(buffer);
        }
    }
}
