using System.Runtime.CompilerServices;
using DonkeyWork.CodeSandbox.Kubernetes.Api;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;
using DonkeyWork.CodeSandbox.Kubernetes.Api.Watching;
using DonkeyWork.CodeSandbox.Kubernetes.Executors;
using DonkeyWork.CodeSandbox.Sandboxes;
using DonkeyWork.CodeSandbox.Sandboxes.Backends;

namespace DonkeyWork.CodeSandbox.Kubernetes.Pods;

/// <summary>Makes of what the API server tells of pods what there is to tell of sandboxes. Waits for nothing and asks nobody.</summary>
internal sealed class PodWatcher(KubernetesClient client, ExecutorConnections executors, ApiErrors errors)
{
    public async IAsyncEnumerable<SandboxObservation> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        HashSet<string> shown = new(StringComparer.Ordinal);
        await foreach (var observation in client.Pods.WatchAsync(PodKeys.Selector, cancellationToken))
        {
            switch (observation)
            {
                case ApiListed<PodView> listed:
                    var sandboxes = listed.Items.Where(SandboxReader.IsOurs).Select(SandboxReader.Read).ToList();
                    HashSet<string> alive = [.. sandboxes.Select(sandbox => sandbox.Uid)];
                    foreach (var uid in shown.Except(alive)) executors.Drop(uid);
                    // What is connected and not in the list may be younger than it. If it is not, the next list drops it.
                    shown = [.. alive, .. executors.Known];
                    yield return new SandboxListed(sandboxes);
                    break;
                case ApiChanged<PodView> { Item: var pod } when SandboxReader.IsOurs(pod):
                    shown.Add(pod.Uid);
                    yield return new SandboxChanged(SandboxReader.Read(pod));
                    break;
                // Gone, or somebody has taken it from us.
                case ApiChanged<PodView> { Item: var pod } when shown.Remove(pod.Uid):
                    yield return LetGo(pod);
                    break;
                case ApiGone<PodView> { Item: var pod } when shown.Remove(pod.Uid):
                    yield return LetGo(pod);
                    break;
                case ApiLost<PodView> lost:
                    yield return new BackendLost(lost.Since, errors.Of(lost.Failure).Message);
                    break;
            }
        }
    }

    private SandboxGone LetGo(PodView pod)
    {
        executors.Drop(pod.Uid);
        return new SandboxGone(SandboxReader.Read(pod));
    }
}
