using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using DonkeyWork.CodeSandbox.Manager.Kata;
using DonkeyWork.CodeSandbox.Testing;
using Microsoft.AspNetCore.Http;

namespace DonkeyWork.CodeSandbox.Manager.Tests;

/// <summary>Events that the Manager writes itself.</summary>
public sealed class EventStreamTests
{
    [Fact]
    public async Task Ten_seconds_without_an_event_are_filled_with_a_comment()
    {
        var clock = new ManualClock();
        var next = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        var type = (JsonTypeInfo<int>)JsonSerializerOptions.Default.GetTypeInfo(typeof(int));

        var writing = EventStream.WriteAsync(context.Response, EventsAsync(next.Task), type, clock, CancellationToken.None);
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        await AdvanceAsync(TimeSpan.FromSeconds(10));
        await clock.TimerAsync(TimeSpan.FromSeconds(10)).WaitAsync(Patience.Limit);
        clock.Advance(TimeSpan.FromSeconds(9));
        next.SetResult();
        await writing.WaitAsync(Patience.Limit);

        Encoding.UTF8.GetString(body.ToArray()).ShouldBe("data: 1\n\n: keepalive\n\n: keepalive\n\ndata: 2\n\n");

        async Task AdvanceAsync(TimeSpan due)
        {
            await clock.TimerAsync(due).WaitAsync(Patience.Limit);
            clock.Advance(due);
        }
    }

    [Fact]
    public async Task A_caller_who_is_gone_ends_it()
    {
        using var gone = new CancellationTokenSource();
        var context = new DefaultHttpContext { Response = { Body = new MemoryStream() } };
        var type = (JsonTypeInfo<int>)JsonSerializerOptions.Default.GetTypeInfo(typeof(int));
        var writing = EventStream.WriteAsync(context.Response, EventsAsync(new TaskCompletionSource().Task), type, new ManualClock(), gone.Token);

        await gone.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => writing.WaitAsync(Patience.Limit));
    }

    private static async IAsyncEnumerable<int> EventsAsync(Task beforeTheSecond, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        yield return 1;
        await beforeTheSecond.WaitAsync(cancellationToken);
        yield return 2;
    }
}
