using System.Net.Http.Json;
using System.Text;
using System.Text.RegularExpressions;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>What clients that know only <c>/execute</c> read is, byte for byte, what they always have.</summary>
public abstract class ExecuteContract(TestService service)
{
    /// <summary>Each with its stream, as it was recorded before executions were resources. <c>PID</c> stands for the process id.</summary>
    public static TheoryData<string, int, string> Recorded => new()
    {
        {
            // Between streams the order is that of the reading, so each waits until the event before it has come.
            @"seen() { until [ -e seen-$1 ]; do sleep 0.05; done; }; echo hello; seen 1; echo oops >&2; seen 2; printf 'quote "" back \\ tab \t cr \r\n'; sleep 0.2; printf 'é😀 <&> \xff\n\n'; sleep 0.2; printf 'no newline'; exit 3",
            300,
            """
            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stdout","data":"hello"}
            id: 1

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stderr","data":"oops"}
            id: 2

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stdout","data":"quote \" back \\ tab \t cr \r"}
            id: 3

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stdout","data":"é😀 <&> �"}
            id: 4

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stdout","data":""}
            id: 5

            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stdout","data":"no newline","partial":true}
            id: 6

            event: CompletedEvent
            data: {"$type":"CompletedEvent","pid":PID,"exitCode":3,"timedOut":false}
            id: 7


            """
        },
        {
            "echo begun; sleep 60",
            1,
            """
            event: OutputEvent
            data: {"$type":"OutputEvent","pid":PID,"stream":"Stdout","data":"begun"}
            id: 1

            event: CompletedEvent
            data: {"$type":"CompletedEvent","pid":PID,"exitCode":137,"timedOut":true,"reason":"timed_out"}
            id: 2


            """
        },
        {
            "kill -KILL $$",
            300,
            """
            event: CompletedEvent
            data: {"$type":"CompletedEvent","pid":PID,"exitCode":137,"timedOut":false,"reason":"killed"}
            id: 1


            """
        },
    };

    [Theory]
    [MemberData(nameof(Recorded))]
    public async Task The_stream_is_the_one_that_was_recorded(string command, int timeoutSeconds, string recorded)
    {
        await using var sandbox = await service.CreateAsync();

        using var request = new HttpRequestMessage(HttpMethod.Post, $"{sandbox.Address}execute") { Content = JsonContent.Create(new { command, timeoutSeconds }) };
        using var response = await sandbox.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var stream = await ReadAsync(response, sandbox);

        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        (response.Headers.CacheControl?.NoCache, response.Headers.GetValues("X-Accel-Buffering").Single()).ShouldBe((true, "no"));
        Regex.Replace(stream, "\"pid\":[0-9]+", "\"pid\":PID").ShouldBe(recorded);
        Regex.Matches(stream, "\"pid\":[0-9]+").Select(pid => pid.Value).Distinct().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task What_it_runs_is_no_execution_that_anybody_lists()
    {
        await using var sandbox = await service.CreateAsync();
        using var response = await sandbox.Http.PostAsJsonAsync($"{sandbox.Address}execute", new { command = "true" });
        (await response.Content.ReadAsStringAsync()).ShouldContain("CompletedEvent");

        (await sandbox.Http.GetStringAsync($"{sandbox.Address}executions")).ShouldBe("[]");
    }

    /// <summary>All of it; of each event that has come there is a file <c>seen-ID</c> in the sandbox.</summary>
    private static async Task<string> ReadAsync(HttpResponseMessage response, TestSandbox sandbox)
    {
        using var patience = new CancellationTokenSource(Patience.Limit);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(patience.Token));
        var all = new StringBuilder();
        var buffer = new char[4096];
        var seen = 0;
        while (await reader.ReadAsync(buffer, patience.Token) is > 0 and var count)
        {
            all.Append(buffer, 0, count);
            for (; $"{all}".Contains($"\nid: {seen + 1}\n", StringComparison.Ordinal); seen++) await sandbox.OutputOfAsync($"touch seen-{seen + 1}");
        }

        return $"{all}";
    }
}
