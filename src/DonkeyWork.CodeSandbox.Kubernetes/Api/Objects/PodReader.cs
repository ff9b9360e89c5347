using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>Reads pods straight from the answer's bytes; a pod is mostly what nobody here asks for (managedFields, volumes, tolerations).</summary>
internal sealed partial class PodReader
{
    private readonly StringPool _strings = new();

    /// <summary>The pod whose start the reader is at, or right before.</summary>
    public PodView Read(ref Utf8JsonReader reader)
    {
        var pod = new Fields();
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("metadata"u8)) ReadMetadata(ref reader, ref pod);
            else if (reader.ValueTextEquals("spec"u8)) ReadSpec(ref reader, ref pod);
            else if (reader.ValueTextEquals("status"u8)) ReadStatus(ref reader, ref pod);
            else reader.Skip();
        }

        return pod.ToView();
    }

    private struct Fields
    {
        public string? Name, Uid, ResourceVersion, NodeName, RuntimeClassName, Image, Phase, PodIP, Reason, Message;
        public DateTimeOffset? Created, Deleted;
        public Dictionary<string, string>? Labels, Annotations;
        public List<PodCondition>? Conditions;
        public ResourceRequirements? Resources;
        public ContainerState? Container;

        public readonly PodView ToView() => new()
        {
            Name = Name ?? "",
            Uid = Uid ?? "",
            ResourceVersion = ResourceVersion ?? "",
            CreationTimestamp = Created ?? default,
            DeletionTimestamp = Deleted,
            Labels = Labels ?? PodView.Empty,
            Annotations = Annotations ?? PodView.Empty,
            NodeName = NodeName,
            RuntimeClassName = RuntimeClassName,
            Image = Image,
            Resources = Resources,
            Phase = Phase ?? "Pending",
            PodIP = PodIP,
            Reason = Reason,
            Message = Message,
            Conditions = Conditions ?? (IReadOnlyList<PodCondition>)[],
            Container = Container,
        };
    }
}
