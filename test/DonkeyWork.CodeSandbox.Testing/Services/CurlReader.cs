using DonkeyWork.CodeSandbox.Testing.Processes;

namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>A client of nothing but bash and curl: starts an execution by its id, and comes back with its last position until it has ended.</summary>
public static class CurlReader
{
    // An event counts once the empty line behind it is there, and only then is its position the one to come back with.
    private const string Script = """
        sandbox=$1 start=$2 remembers=$3; shift 3
        after=0 exited=
        take() {
            local line event= data= id=
            while IFS= read -r line; do
                case $line in
                    'event: '*) event=${line#event: } ;;
                    'data: '*) data=${line#data: } ;;
                    'id: '*) id=${line#id: } ;;
                    '')
                        case $event in
                            output) data=${data#*'"data":"'} && printf %b "${data%\"\}}" ;;
                            exited) exited=$data ;;
                            truncated) echo "$data" >&2 ;;
                        esac
                        [ -z "$event" ] || { [ -z "$remembers" ] || after=$id; event=; }
                        ;;
                esac
            done
        }
        until curl -sf -o /dev/null -H 'Content-Type: application/json' -d "$start" "$1api/kata/$sandbox/executions"; do sleep 0.1; done
        id=$(sed 's/.*"id":"\([^"]*\)".*/\1/' <<<"$start")
        until [ -n "$exited" ]; do
            for address; do
                [ -n "$exited" ] || take < <(curl -sN --max-time 60 -H "Last-Event-ID: $after" "${address}api/kata/$sandbox/executions/$id/events")
            done
            sleep 0.1
        done
        echo "$exited" >&2
        """;

    /// <summary>What it printed on standard output is what the execution did; on standard error is the event <c>exited</c>, behind any <c>truncated</c>.</summary>
    /// <param name="addresses">Of Managers, each with a slash at its end.</param>
    /// <param name="sandbox">Where.</param>
    /// <param name="start">The body of the start, which has an id.</param>
    /// <param name="remembers">The control does not: it comes back as if it were new.</param>
    public static Task<Tool> RunAsync(IEnumerable<Uri> addresses, string sandbox, string start, bool remembers = true) =>
        Tool.RunAsync("/bin/bash", ["-c", Script, "reader", sandbox, start, remembers ? "yes" : "", .. addresses.Select(address => $"{address}")]);
}
