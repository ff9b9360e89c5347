using System.Text;
using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

internal sealed partial class PodReader
{
    private static readonly byte[] Prefix = Encoding.ASCII.GetBytes(PodView.AnnotationPrefix);

    private void ReadMetadata(ref Utf8JsonReader reader, ref Fields pod)
    {
        if (!reader.EnterObject()) return;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("name"u8)) pod.Name = reader.Text();
            else if (reader.ValueTextEquals("uid"u8)) pod.Uid = reader.Text();
            else if (reader.ValueTextEquals("resourceVersion"u8)) pod.ResourceVersion = reader.Text();
            else if (reader.ValueTextEquals("creationTimestamp"u8)) pod.Created = reader.Time();
            else if (reader.ValueTextEquals("deletionTimestamp"u8)) pod.Deleted = reader.Time();
            else if (reader.ValueTextEquals("labels"u8)) pod.Labels = ReadLabels(ref reader);
            else if (reader.ValueTextEquals("annotations"u8)) pod.Annotations = ReadAnnotations(ref reader);
            else reader.Skip();
        }
    }

    private Dictionary<string, string>? ReadLabels(ref Utf8JsonReader reader)
    {
        if (!reader.EnterObject()) return null;
        var labels = new Dictionary<string, string>(8);
        while (reader.NextProperty())
        {
            var key = _strings.Get(ref reader);
            labels[key] = reader.Text(_strings) ?? "";
        }

        return labels;
    }

    private Dictionary<string, string>? ReadAnnotations(ref Utf8JsonReader reader)
    {
        if (!reader.EnterObject()) return null;
        Dictionary<string, string>? annotations = null;
        while (reader.NextProperty())
        {
            // None of our keys needs an escape.
            if (reader.ValueIsEscaped || !reader.ValueSpan.StartsWith(Prefix))
            {
                reader.Skip();
                continue;
            }

            var key = _strings.Get(reader.ValueSpan[Prefix.Length..]);
            annotations ??= new Dictionary<string, string>(8);
            annotations[key] = reader.Text() ?? "";
        }

        return annotations;
    }
}
