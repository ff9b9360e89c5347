namespace DonkeyWork.CodeSandbox.Cluster.Tests.Installation;

/// <summary>What a command finds in the sandbox's image.</summary>
public sealed class ExecutorImageTests : IAsyncLifetime
{
    private const string Pod = """
        apiVersion: v1
        kind: Pod
        metadata: {name: sandbox}
        spec:
          restartPolicy: Never
          automountServiceAccountToken: false
          securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
          containers:
            - name: executor
              image: donkeywork/codesandbox-executor:latest
              imagePullPolicy: IfNotPresent
              securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
        """;

    private TestNamespace _namespace = null!;

    public async Task InitializeAsync()
    {
        _namespace = await TestCluster.Node.CreateNamespaceAsync("image");
        await _namespace.ApplyAsync(Pod);
        await _namespace.KubectlAsync("wait", "--for=condition=Ready", "pod/sandbox", $"--timeout={Patience.Limit.TotalSeconds:0}s");
    }

    public async Task DisposeAsync() => await _namespace.DisposeAsync();

    [Fact]
    public async Task Python_Node_and_the_tools_are_there_and_work()
    {
        await PrintsAsync("id", "uid=1000(user) gid=1000(user) groups=1000(user)");
        await PrintsAsync("python3 -c 'import numpy, pandas, requests; print(int(numpy.sum(pandas.Series([40, 2]))))'", "42");
        await PrintsAsync("python3 -m venv /tmp/environment && /tmp/environment/bin/python -c 'import sys; print(sys.prefix)'", "/tmp/environment");
        await PrintsAsync("pip --version | cut -d' ' -f1", "pip");
        await PrintsAsync("node -p 6*7", "42");
        await PrintsAsync("npm --version | grep -c '^[0-9.]*$'", "1");
        await PrintsAsync("npx --no-install tsc --version | cut -d' ' -f1", "Version");
        await PrintsAsync("cd /tmp && echo 'import * as os from \"os\"; const answer: number = 42; console.log(os.platform(), answer)' >a.ts && ts-node a.ts", "linux 42");
        await PrintsAsync("cd /tmp && git init -q repository && git -C repository status --short --branch | head -c 2", "##");
        await PrintsAsync("curl --version | head -c 4", "curl");
    }

    [Fact]
    public async Task Its_user_installs_what_it_wants_and_finds_it_on_its_PATH()
    {
        await PrintsAsync("cd /tmp && mkdir tool && cd tool && echo '{\"name\":\"tool\",\"version\":\"1.0.0\",\"bin\":\"tool.js\"}' >package.json"
            + " && printf '#!/usr/bin/env node\\nconsole.log(42)' >tool.js && chmod +x tool.js && npm install --global --offline --silent . && tool", "42");
        await PrintsAsync("cd /tmp && mkdir package && cd package && printf 'from setuptools import setup\\nsetup(name=\"answer\", version=\"1\", py_modules=[\"answer\"])' >setup.py"
            + " && echo 'value = 42' >answer.py && pip install --quiet --no-build-isolation --no-index . && cd / && python3 -c 'import answer; print(answer.value)'", "42");
    }

    [Fact]
    public async Task Nothing_in_it_makes_a_command_somebody_else()
    {
        await PrintsAsync("find / -xdev -type f -perm /6000 2>/dev/null; true", "");
        await PrintsAsync("cp /bin/true /tmp/true && chmod u+s /tmp/true && find /tmp -xdev -type f -perm /6000", "/tmp/true");
    }

    private async Task PrintsAsync(string command, string expected) =>
        (await _namespace.KubectlAsync("exec", "sandbox", "--", "/bin/bash", "-c", command)).Trim().ShouldBe(expected, command);
}
