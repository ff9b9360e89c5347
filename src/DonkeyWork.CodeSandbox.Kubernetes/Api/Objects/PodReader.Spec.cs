using System.Text.Json;
using DonkeyWork.CodeSandbox.Contracts;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

internal sealed partial class PodReader
{
    private void ReadSpec(ref Utf8JsonReader reader, ref Fields pod)
    {
        if (!reader.EnterObject()) return;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("nodeName"u8)) pod.NodeName = reader.Text(_strings);
            else if (reader.ValueTextEquals("runtimeClassName"u8)) pod.RuntimeClassName = reader.Text(_strings);
            else if (reader.ValueTextEquals("containers"u8)) ReadContainers(ref reader, ref pod);
            else reader.Skip();
        }
    }

    private void ReadContainers(ref Utf8JsonReader reader, ref Fields pod)
    {
        if (!reader.EnterArray()) return;
        while (reader.NextObject())
        {
            string? name = null, image = null;
            ResourceRequirements? resources = null;
            while (reader.NextProperty())
            {
                if (reader.ValueTextEquals("name"u8)) name = reader.Text(_strings);
                else if (reader.ValueTextEquals("image"u8)) image = reader.Text(_strings);
                else if (reader.ValueTextEquals("resources"u8)) resources = ReadResources(ref reader);
                else reader.Skip();
            }

            // A cluster may put others beside it, before it too.
            if (name == PodView.ContainerName) (pod.Image, pod.Resources) = (image, resources);
        }
    }

    private ResourceRequirements? ReadResources(ref Utf8JsonReader reader)
    {
        if (!reader.EnterObject()) return null;
        ResourceQuantities? requests = null, limits = null;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("requests"u8)) requests = ReadQuantities(ref reader);
            else if (reader.ValueTextEquals("limits"u8)) limits = ReadQuantities(ref reader);
            else reader.Skip();
        }

        return requests is null && limits is null ? null : new ResourceRequirements { Requests = requests, Limits = limits };
    }

    private ResourceQuantities? ReadQuantities(ref Utf8JsonReader reader)
    {
        if (!reader.EnterObject()) return null;
        int? memory = null, cpu = null;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("memory"u8)) memory = Quantity.ToMebibytes(reader.Text(_strings));
            else if (reader.ValueTextEquals("cpu"u8)) cpu = Quantity.ToMillicores(reader.Text(_strings));
            else reader.Skip();
        }

        return new ResourceQuantities { MemoryMi = memory, CpuMillicores = cpu };
    }
}
