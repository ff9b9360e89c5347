using System.Buffers.Binary;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Client.Tests.Wire;

/// <summary>An execution's log and its frames, written down without the product's own types.</summary>
internal sealed class FakeLog
{
    public const string MediaType = "application/vnd.codesandbox.frames";

    private readonly Lock _lock = new();
    // Each byte's channel; 0 stands for the two events.
    private readonly List<(byte Channel, byte Value)> _log = [];
    private long _keptFrom;
    private string? _exited;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public required string Started { get; init; }

    public long Length
    {
        get
        {
            lock (_lock)
                return _log.Count;
        }
    }

    /// <summary>After how many bytes a response is cut; asked for each one.</summary>
    public Func<long?> Cut { get; set; } = () => null;

    /// <summary>The longest payload of a frame; asked for each one.</summary>
    public Func<int> Chunk { get; set; } = () => 65_536;

    /// <summary>Whether a response is a reader that wants no output.</summary>
    public int QuietReaders { get; private set; }

    public void Add(byte channel, ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_log.Count == 0)
                _log.Add((0, 0));
            foreach (var value in bytes)
                _log.Add((channel, value));
            Change();
        }
    }

    public void Add(byte channel, string text) => Add(channel, Encoding.UTF8.GetBytes(text));

    public void Exit(string state)
    {
        lock (_lock)
        {
            if (_log.Count == 0)
                _log.Add((0, 0));
            _log.Add((0, 1));
            _exited = state;
            Change();
        }
    }

    /// <summary>What lies before this position is not kept any more.</summary>
    public void Forget(long before)
    {
        lock (_lock)
            _keptFrom = before;
    }

    public async Task AnswerAsync(HttpContext context)
    {
        var after = long.Parse(context.Request.Query["after"].ToString());
        var quiet = context.Request.Query["output"] == "false";
        context.Response.ContentType = MediaType;
        var left = Cut() ?? long.MaxValue;
        if (quiet)
            QuietReaders++;
        while (true)
        {
            var (frames, next, ended, changed) = Take(after, quiet);
            var sent = frames.AsMemory(0, (int)Math.Min(left, frames.Length));
            await context.Response.Body.WriteAsync(sent, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            left -= sent.Length;
            if (left == 0)
                throw Sse.Cut();

            after = next;
            if (ended)
                return;
            await changed.WaitAsync(context.RequestAborted);
        }
    }

    public static byte[] Frame(byte stream, long position, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[13 + payload.Length];
        frame[0] = stream;
        BinaryPrimitives.WriteInt64BigEndian(frame.AsSpan(1), position);
        BinaryPrimitives.WriteInt32BigEndian(frame.AsSpan(9), payload.Length);
        payload.CopyTo(frame.AsSpan(13));
        return frame;
    }

    public static byte[] Frame(long position, string json) => Frame(0, position, Encoding.UTF8.GetBytes(json));

    private (byte[] Frames, long Next, bool Ended, Task Changed) Take(long after, bool quiet)
    {
        var frames = new List<byte>();
        lock (_lock)
        {
            if (after == 0 && _log.Count > 0)
            {
                after = 1;
                frames.AddRange(Frame(after, $$"""{"event":"started",{{Started}}}"""));
            }

            if (after < _keptFrom && !quiet)
                after = TakeLost(frames, after);
            while (after < _log.Count && _log[(int)after].Channel != 0)
            {
                var channel = _log[(int)after].Channel;
                var chunk = _log.Skip((int)after).Take(Chunk()).TakeWhile(b => b.Channel == channel).Select(b => b.Value).ToArray();
                after += chunk.Length;
                if (!quiet)
                    frames.AddRange(Frame(channel, after, chunk));
            }

            if (_exited is not null)
                frames.AddRange(Frame(_log.Count, $$"""{"event":"exited",{{_exited}}}"""));
            return ([.. frames], after, _exited is not null, _changed.Task);
        }
    }

    private long TakeLost(List<byte> frames, long after)
    {
        foreach (var lost in _log.Skip((int)after).Take((int)(_keptFrom - after)).GroupBy(b => b.Channel))
        {
            after += lost.Count();
            var name = lost.Key == 1 ? "stdout" : lost.Key == 2 ? "stderr" : "pty";
            frames.AddRange(Frame(after, $$"""{"event":"truncated","stream":"{{name}}","bytes":{{lost.Count()}}}"""));
        }

        return after;
    }

    private void Change()
    {
        var changed = _changed;
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        changed.SetResult();
    }
}
