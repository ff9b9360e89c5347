using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Server.Executions.Logs;
using DonkeyWork.CodeSandbox.Server.Http;

namespace DonkeyWork.CodeSandbox.Server.Tests.Logs;

public sealed class OutputLogTests
{
    private static readonly byte[] Chunk = new byte[64 * 1024];

    [Fact]
    public async Task A_held_log_takes_three_quarters_and_goes_on_when_a_reader_was_sent_some()
    {
        const int keep = 1 << 20;
        var log = new OutputLog(new LogPlace("/tmp"), keep, holds: true);
        var taken = Fill(log);

        taken.ShouldBeInRange(keep / 4 * 3 - 4096, keep / 4 * 3);
        var room = log.RoomAsync(CancellationToken.None);
        room.IsCompleted.ShouldBeFalse();
        using (var reader = log.OpenReader(0))
        {
            var first = await reader.NextAsync(CancellationToken.None);
            room.IsCompleted.ShouldBeFalse("reading is not sending");
            reader.Sent(first.Position);
            (await room).ShouldBePositive();
        }

        Fill(log);
        log.Unhold();
        log.Append(OutputChannel.Stdout, Chunk).ShouldBe(Chunk.Length);
        log.Append(OutputChannel.Stderr, Chunk).ShouldBe(Chunk.Length);
        log.Complete();
        log.Counts.Truncated.ShouldBe(0, "what is left in the pipes at the end has room");
        log.Delete();
    }

    [Fact]
    public async Task The_front_stays_and_the_newest_of_the_rest()
    {
        const int keep = 1 << 20;
        var log = new OutputLog(new LogPlace("/tmp"), keep, holds: false);
        for (var i = 0; i < 100; i++)
            log.Append(OutputChannel.Stdout, Chunk).ShouldBe(Chunk.Length);
        log.Complete();

        using var reader = log.OpenReader(0);
        var items = await ReadAsync(reader);

        var gap = items.FindIndex(item => item.Kind == LogItemKind.Truncated);
        items.Take(gap).Sum(item => item.Count).ShouldBeInRange(keep / 8, keep / 2);
        items.Skip(gap + 1).Sum(item => item.Count).ShouldBeGreaterThan(keep / 2);
        items.Where(item => item.Kind == LogItemKind.Output).Sum(item => item.Count).ShouldBeGreaterThanOrEqualTo(keep);
        items.Sum(item => item.Count).ShouldBe(100 * Chunk.Length);
        log.Delete();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_reader_at_the_end_goes_on_wherever_the_oldest_record_begins(bool isRead)
    {
        const int size = 1000, before = 40, most = 100;
        for (var count = 1; count <= most; count++)
        {
            var log = new OutputLog(new LogPlace("/tmp"), 1, holds: false);
            Print(before);
            using var reader = log.OpenReader((before * size) + 1);
            Print(count);
            long got = 0;
            if (isRead)
            {
                got = (await reader.NextAsync(CancellationToken.None)).Count;
                Print(count);
            }

            log.Complete();
            got += (await ReadAsync(reader)).Sum(item => item.Count);
            got.ShouldBe((isRead ? 2 : 1) * count * size, $"after {count} records");
            log.Delete();

            // No two records are of one channel, so that none grows.
            void Print(int records)
            {
                for (var i = 0; i < records; i++)
                    log.Append(log.End / size % 2 == 0 ? OutputChannel.Stdout : OutputChannel.Stderr, Chunk.AsSpan(0, size)).ShouldBe(size);
            }
        }
    }

    [Fact]
    public async Task Any_position_can_be_resumed_from()
    {
        var model = new LogModel();
        var log = new OutputLog(new LogPlace("/tmp"), 1 << 20, holds: false);
        for (var i = 0; i < 600; i++)
        {
            var channel = i % 3 == 0 ? OutputChannel.Stderr : OutputChannel.Stdout;
            byte[] bytes = [.. Enumerable.Range(0, i % 7 + 1).Select(value => (byte)(i + value))];
            log.Append(channel, bytes);
            model.Add(channel, bytes);
        }

        log.Complete();
        for (long after = 0; after <= model.Head + 1; after++)
        {
            using var reader = log.OpenReader(after);
            var position = Math.Clamp(after, 1, model.Head);
            long unused = 0;
            foreach (var item in await ReadAsync(reader))
                position = model.Check(item, position, isSplitExact: true, ref unused);
            position.ShouldBe(model.Head);
        }

        Should.Throw<RequestException>(() => log.OpenReader(model.Head + 2));
        log.Delete();
    }

    [Fact]
    public async Task A_broken_disk_loses_what_it_had_and_says_how_much()
    {
        SmallDisk? disk = null;
        var log = new OutputLog(new LogPlace("/tmp") { Create = _ => disk = new SmallDisk(1 << 30) }, 1 << 20, holds: false);
        for (var i = 0; i < 40; i++)
            log.Append(OutputChannel.Stdout, Chunk);
        disk.ShouldNotBeNull().IsBroken = true;
        log.Append(OutputChannel.Stdout, Chunk).ShouldBe(Chunk.Length);
        log.Complete();

        using var reader = log.OpenReader(0);
        var items = await ReadAsync(reader);

        items.Sum(item => item.Count).ShouldBe(41 * Chunk.Length);
        items.Where(item => item.Kind == LogItemKind.Output).Sum(item => item.Count).ShouldBeGreaterThan(32 * 1024);
        log.Delete();
    }

    [Fact]
    public async Task The_oldest_finished_give_way_and_then_nothing_grows()
    {
        var place = new LogPlace("/tmp", new OutputBudget(1 << 20, 3), new OutputBudget(1 << 20, int.MaxValue));
        var logs = Enumerable.Range(0, 4).Select(_ => new OutputLog(place, 1 << 20, holds: false)).ToList();
        for (var i = 0; i < 3; i++)
            logs[i].Append(OutputChannel.Stdout, Chunk);
        logs[1].Complete();
        logs[0].Complete();

        logs[3].Append(OutputChannel.Stdout, Chunk);
        (logs[1].IsEmptied, logs[0].IsEmptied).ShouldBe((true, false), "the number of logs");
        for (var i = 0; i < 40; i++)
            logs[3].Append(OutputChannel.Stdout, Chunk).ShouldBe(Chunk.Length);
        logs[0].IsEmptied.ShouldBeTrue("their size");
        place.Files.Bytes.ShouldBeLessThanOrEqualTo(1 << 20);
        logs[3].Counts.Truncated.ShouldBePositive("nothing finished is left to give way");

        using var reader = logs[1].OpenReader(0);
        (await ReadAsync(reader)).ShouldHaveSingleItem().Count.ShouldBe(Chunk.Length);
        logs.ForEach(log => log.Delete());
        (place.Files.Bytes, place.Memory.Bytes).ShouldBe((0, 0));
    }

    [Fact]
    public async Task A_reader_that_waits_is_woken_by_output_by_its_alarm_and_by_the_end()
    {
        var log = new OutputLog(new LogPlace("/tmp"), 1, holds: false);
        using var reader = log.OpenReader(0);
        var next = reader.NextAsync(CancellationToken.None).AsTask();
        log.Append(OutputChannel.Pty, [1]);
        (await next).ShouldSatisfyAllConditions(item => item.Kind.ShouldBe(LogItemKind.Output), item => item.Channel.ShouldBe(OutputChannel.Pty));

        next = reader.NextAsync(CancellationToken.None).AsTask();
        reader.Wake();
        (await next).Kind.ShouldBe(LogItemKind.None);
        using var gone = new CancellationTokenSource();
        next = reader.NextAsync(gone.Token).AsTask();
        await gone.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(next);
        next = reader.NextAsync(CancellationToken.None).AsTask();
        log.Complete();
        (await next).ShouldBe(new LogItem(LogItemKind.End, default, default, 0, 3));
        log.Delete();
    }

    private static long Fill(OutputLog log)
    {
        long taken = 0;
        int count;
        while ((count = log.Append(OutputChannel.Stdout, Chunk)) > 0)
            taken += count;
        return taken;
    }

    private static async Task<List<LogItem>> ReadAsync(OutputLogReader reader)
    {
        var items = new List<LogItem>();
        while (true)
        {
            var item = await reader.NextAsync(CancellationToken.None);
            if (item.Kind == LogItemKind.End)
                return items;
            items.Add(item with { Bytes = item.Bytes.ToArray() });
        }
    }
}
