using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using Xunit.Abstractions;

namespace DonkeyWork.CodeSandbox.Server.Tests.Logs;

public sealed class OutputLogModelTests(ITestOutputHelper output)
{
    /// <summary>Whether who prints is held; what is kept; how much the disk takes.</summary>
    public static TheoryData<bool, long, long?> Kinds
    {
        get
        {
            var data = new TheoryData<bool, long, long?>();
            foreach (var holds in (bool[])[false, true])
            {
                foreach (var (keep, disk) in ((long, long?)[])[(1, null), (1 << 19, null), (1 << 20, null), (1 << 20, 0), (1 << 20, 50_000), (1 << 20, 70_000), (1 << 20, 300_000)])
                    data.Add(holds, keep, disk);
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Every_reader_gets_every_byte_once_or_is_told_how_many_it_misses(bool holds, long keep, long? disk)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        for (var round = 0; round < 4; round++)
            await new Run(new Random(seed + round), holds, keep, disk).ToTheEndAsync();
    }

    private sealed class Run(Random random, bool holds, long keep, long? disk)
    {
        private readonly LogModel _model = new();
        private readonly List<Reader> _readers = [];
        private readonly OutputLog _log = new(
            disk is { } bytes ? new LogPlace("/tmp") { Create = _ => new SmallDisk(bytes) } : new LogPlace("/tmp"), keep, holds);

        private readonly int _maxChunk = random.Next(3) switch { 0 => 5, 1 => 3_000, _ => 65_536 };

        public async Task ToTheEndAsync()
        {
            var chunk = new byte[_maxChunk];
            for (var step = 0; step < 1_500; step++)
            {
                switch (random.Next(10))
                {
                    case < 6:
                        var bytes = chunk.AsSpan(0, random.Next(1, _maxChunk + 1));
                        random.NextBytes(bytes);
                        var channel = random.Next(3) == 0 ? OutputChannel.Stderr : OutputChannel.Stdout;
                        var taken = _log.Append(channel, bytes);
                        if (!holds)
                            taken.ShouldBe(bytes.Length);
                        _model.Add(channel, bytes[..taken]);
                        break;
                    case 6 when _readers.Count < 5:
                        var after = random.Next(3) == 0 ? _model.Head : random.NextInt64(0, _model.Head + 1);
                        _readers.Add(new Reader(_log.OpenReader(after), _model, Math.Max(after, 1)));
                        break;
                    case 7 when _readers.Count > 0 && random.Next(10) == 0:
                        var gone = random.Next(_readers.Count);
                        _readers[gone].Dispose();
                        _readers.RemoveAt(gone);
                        break;
                    default:
                        if (_readers.Count > 0)
                            await _readers[random.Next(_readers.Count)].ReadAsync(random.Next(1, 30), random);
                        break;
                }
            }

            _log.Unhold();
            _log.Complete();
            _readers.Add(new Reader(_log.OpenReader(0), _model, 1));
            foreach (var reader in _readers)
            {
                (await reader.ReadAsync(int.MaxValue, random)).Position.ShouldBe(_model.Head + 1);
                reader.Dispose();
            }

            var (first, second, truncated) = _log.Counts;
            (first + second).ShouldBe(_model.Head - 1);
            second.ShouldBe(_model.CountErrors(1, _model.Head));
            _readers[^1].Lost.ShouldBe(truncated);
            _log.Delete();
        }
    }

    private sealed class Reader(OutputLogReader reader, LogModel model, long position) : IDisposable
    {
        private bool _hasRead;
        private long _position = position;

        public long Lost { get; private set; }

        public async Task<LogItem> ReadAsync(int count, Random random)
        {
            for (var i = 0; i < count; i++)
            {
                reader.Wake();
                var item = await reader.NextAsync(CancellationToken.None);
                if (item.Kind is LogItemKind.None or LogItemKind.End)
                    return item;
                var before = _position;
                long lostErrors = 0;
                _position = model.Check(item, _position, _hasRead, ref lostErrors);
                if (item.Kind == LogItemKind.Truncated)
                {
                    Lost += item.Count;
                    if (item.Channel == OutputChannel.Stdout)
                    {
                        // What standard error lost comes next, unless that is nothing.
                        item = await reader.NextAsync(CancellationToken.None);
                        if (item.Kind == LogItemKind.Truncated)
                            Lost += item.Count;
                        if (item.Kind is not (LogItemKind.None or LogItemKind.End))
                            _position = model.Check(item, _position, _hasRead, ref lostErrors);
                    }

                    var end = item.Kind == LogItemKind.Output ? _position - item.Count : _position;
                    if (_hasRead)
                        lostErrors.ShouldBe(model.CountErrors(before, end));
                }

                _hasRead = true;
                if (random.Next(3) == 0)
                    reader.Sent(_position);
            }

            return default;
        }

        public void Dispose() => reader.Dispose();
    }
}
