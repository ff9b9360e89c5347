using System.Globalization;
using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;
using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>Paths that are meant to do harm, as curl sends them: with nothing made nicer. They are refused, and nothing comes of them.</summary>
public abstract class HostilePathContract(TestService service)
{
    // In a sandbox that has: home, with what MakeAsync leaves there.
    private static readonly (string Path, int[] Statuses)[] Reads =
    [
        ("files?path=/proc/self/environ", [403]),
        ("files?path=/proc/1/environ", [403]),
        ("files?path=/proc/1/exe", [403]),
        ("files?path=/proc/self/fd/3", [403, 404]),
        ("files?path=/proc/self/root/proc/version", [403]),
        ("files?path=to-proc/version", [403]),
        ("files?path=../../../../proc/version", [403]),
        ("files?path=/proc/thread-self/cwd/../proc/version", [403, 404]),
        ("files?path=/sys/kernel/uevent_helper", [403, 404]),
        ("files?path=/dev/null", [403]),
        ("files?path=/dev/zero", [403]),
        ("files?path=/dev/fd/3", [403, 404]),
        ("files?path=fifo", [403]),
        ("files?path=socket", [403]),
        ("files?path=loop", [400, 403, 404, 409]),
        ("files?path=to-fifo", [403]),
        ("files?path=/etc/shadow", [403, 404]),
        ("files?path=", [400]),
        ("files", [400]),
        ("files?path=a&path=b", [400, 404]),
        ("files?path=%00", [400]),
        ("files?path=a%00b", [400]),
        ("files?path=%ff%fe", [400, 404]),
        ("files?path=%", [400, 404]),
        ("files?path=%zz", [400, 404]),
        ("files?path=a%0ab", [404]),
        ("files?path=a%0d%0aX-Injected:%20yes", [404]),
        ("files?path=file/", [404, 409]),
        ("files?path=file/x", [404, 409]),
        ("files?path=.", [409]),
        ("files/list?path=file", [409]),
        ("files/list?path=/proc", [403]),
        ("files/list?depth=-1", [400]),
        ("files/list?depth=x", [400]),
        ("files/watch?path=/proc", [403]),
        ("files/watch?path=nowhere", [404]),
        ("executions/../../healthz", [400, 404]),
        ("executions/%2e%2e%2f%2e%2e%2fstats", [400, 404]),
        ("executions/a%2fb/events", [400, 404]),
        ("executions/a/events?after=x", [400, 404]),
        ("executions/a/events?after=-1", [400, 404]),
        ("executions/a/events?after=99999999999999999999", [400, 404]),
        ("executions/%00", [400, 404]),
        ("executions/a%0d%0ab", [400, 404]),
        ("files/../../../stats", [400, 404]),
        ("../../stats", [400, 404]),
        ("..%2f..%2fstats", [400, 404]),
        ("stats", [404]),
        ("claim", [404, 405]),
        ("terminal", [400, 426]),
        ("terminal?execution=..%2f..", [400, 426]),
    ];

    [Fact]
    public async Task Reading_by_them_shows_nothing_and_breaks_nothing()
    {
        await using var sandbox = await service.CreateAsync();
        await MakeAsync(sandbox);
        var executor = sandbox.Executor.Pid;
        var wrong = new List<string>();
        string[] tooLong = [$"files?path={new string('n', 4096)}", $"files?path={string.Concat(Enumerable.Repeat("d/", 3000))}", $"files?path={new string('n', 7000)}"];
        foreach (var (path, statuses) in Reads.Concat(tooLong.Select(path => (path, (int[])[400, 404, 414]))))
        {
            var (status, body) = await CurlAsync(sandbox, path);
            // What is no request at all the server below us refuses, without a word.
            if (!statuses.Contains(status) || !(IsProblem(body) || (status is 400 or 414 && body.Length == 0))) wrong.Add($"{path}: {status} {body}");
        }

        wrong.ShouldBeEmpty();
        sandbox.Executor.Pid.ShouldBe(executor);
        // The control: what may be read is read, by a link too.
        (await CurlAsync(sandbox, "files?path=file")).ShouldBe((200, "content\n"));
        (await CurlAsync(sandbox, "files?path=to-file")).ShouldBe((200, "content\n"));
        (await CurlAsync(sandbox, "files?path=../user/./file")).ShouldBe((200, "content\n"));
    }

    [Fact]
    public async Task Writing_and_deleting_by_them_changes_nothing()
    {
        await using var sandbox = await service.CreateAsync();
        await MakeAsync(sandbox);
        (string[] Arguments, string Path)[] writes =
        [
            (["-T", "/etc/hostname"], "files?path=/proc/self/comm"),
            (["-T", "/etc/hostname"], "files?path=to-proc/self/comm"),
            (["-T", "/etc/hostname"], "files?path=/dev/null"),
            (["-T", "/etc/hostname"], "files?path=fifo"),
            (["-T", "/etc/hostname"], "files?path=to-fifo"),
            (["-T", "/etc/hostname"], "files?path=socket"),
            (["-T", "/etc/hostname"], "files?path=loop"),
            (["-T", "/etc/hostname"], "files?path=."),
            (["-T", "/etc/hostname"], "files?path=/etc/passwd"),
            (["-T", "/etc/hostname"], "files?path=/usr/bin/new"),
            (["-T", "/etc/hostname"], "files?path=file/below"),
            (["-T", "/etc/hostname"], "files?path=a%00b"),
            (["-T", "/etc/hostname"], "files"),
            (["-X", "DELETE"], "files?path=/"),
            (["-X", "DELETE"], "files?path=/&recursive=true"),
            (["-X", "DELETE"], "files?path=/proc/self/environ"),
            (["-X", "DELETE"], "files?path=..&recursive=true"),
            (["-d", """{"from":"file","to":"/proc/self/x"}"""], "files/move"),
            (["-d", """{"from":"/proc/self/environ","to":"stolen"}"""], "files/move"),
            (["-d", """{"from":"file","to":"directory/../fifo"}"""], "files/move"),
            (["-d", """{"path":"/proc/x"}"""], "files/directory"),
            (["-d", """{"path":"file"}"""], "files/directory"),
        ];
        var wrong = new List<string>();
        foreach (var (arguments, path) in writes)
        {
            var (status, body) = await CurlAsync(sandbox, path, ["-H", arguments[0] == "-d" ? "Content-Type: application/json" : "Accept: */*", .. arguments]);
            if (status is not (400 or 403 or 404 or 405 or 409) || !IsProblem(body)) wrong.Add($"{string.Join(' ', arguments)} {path}: {status} {body}");
        }

        wrong.ShouldBeEmpty();
        (await sandbox.OutputOfAsync("ls -A | grep -v '^\\.'; cat file")).ShouldBe("directory\nfifo\nfile\nloop\nsocket\nto-fifo\nto-file\nto-proc\ncontent\n");
    }

    [Fact]
    public async Task An_upload_that_is_cut_in_the_middle_leaves_the_old_file()
    {
        await using var sandbox = await service.CreateAsync();
        await sandbox.OutputOfAsync("echo old >file; chmod 640 file");
        var upload = Tool.BashAsync($"curl -sS --limit-rate 4M -T <(head -c 1G /dev/zero) '{sandbox.Address}files?path=file'");
        // Some of it has arrived: beside, under another name.
        await Patience.UntilAsync(async () => await sandbox.OutputOfAsync("find ~ /tmp -size +1024k 2>/dev/null | wc -l") != "0\n", () => "Nothing of it arrives.");

        service.Way.CutAll();

        (await upload).ExitCode.ShouldNotBe(0);
        await Patience.UntilAsync(async () => await sandbox.OutputOfAsync("find ~ /tmp -size +1024k 2>/dev/null | wc -l") == "0\n", () => "What was cut stays.");
        (await sandbox.OutputOfAsync("cat file; stat -c %a file; ls -A | grep -v '^\\.bash\\|^\\.profile$'")).ShouldBe("old\n640\nfile\n");
    }

    private static async Task MakeAsync(TestSandbox sandbox) => await sandbox.OutputOfAsync("""
        echo content >file; mkdir directory; mkfifo fifo; ln -s /proc to-proc; ln -s file to-file; ln -s fifo to-fifo; ln -s loop loop
        python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
        """);

    private static async Task<(int Status, string Body)> CurlAsync(TestSandbox sandbox, string path, params string[] arguments)
    {
        var curl = await Tool.RunAsync("curl", ["-sS", "--path-as-is", "--max-time", "30", "-w", "\n%{http_code}", .. arguments, $"{sandbox.Address}{path}"]);
        curl.ExitCode.ShouldBe(0, $"{path}: {curl.Error}");
        var end = curl.Output.LastIndexOf('\n');
        return (int.Parse(curl.Output[(end + 1)..], CultureInfo.InvariantCulture), curl.Output[..end]);
    }

    private static bool IsProblem(string body)
    {
        try
        {
            return JsonSerializer.Deserialize(body, ContractsJsonContext.Default.Problem) is { Code.Length: > 0, Detail.Length: > 0 };
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
