namespace DonkeyWork.CodeSandbox.Testing.Services;

/// <summary>Commands that try to leave something behind. Each goes on until it is ended.</summary>
public static class Escapes
{
    public static TheoryData<string> All => new()
    {
        "setsid sleep 3600 & sleep 3600",
        "(setsid bash -c 'sleep 3600 & exec sleep 3600' &) ; sleep 3600",
        "nohup sleep 3600 >/dev/null 2>&1 & disown; sleep 3600",
        "env -i setsid /usr/bin/python3 -c 'import os,time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\ntime.sleep(3600)'; sleep 3600",
        "trap '' TERM HUP INT QUIT; setsid bash -c 'trap \"\" TERM HUP INT; while :; do sleep 1; done' & sleep 3600",
        // As fast as it can; each child starts the next and goes, a few at a time.
        "python3 -c 'import os\nfor _ in range(4):\n  if os.fork() == 0:\n    while True:\n      try:\n        if os.fork(): os._exit(0)\n        os.setsid()\n      except BlockingIOError: pass' ; sleep 3600",
        "f() { f | f & }; for i in 1 2 3; do setsid bash -c 'while :; do (sleep 0.01 &) ; done' & done; sleep 3600",
    };
}
