using System.Text.Json;

namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

internal sealed partial class PodReader
{
    private void ReadStatus(ref Utf8JsonReader reader, ref Fields pod)
    {
        if (!reader.EnterObject()) return;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("phase"u8)) pod.Phase = reader.Text(_strings);
            else if (reader.ValueTextEquals("podIP"u8)) pod.PodIP = reader.Text();
            else if (reader.ValueTextEquals("reason"u8)) pod.Reason = reader.Text(_strings);
            else if (reader.ValueTextEquals("message"u8)) pod.Message = reader.Text();
            else if (reader.ValueTextEquals("conditions"u8)) pod.Conditions = ReadConditions(ref reader);
            else if (reader.ValueTextEquals("containerStatuses"u8)) pod.Container = ReadContainerStatuses(ref reader);
            else reader.Skip();
        }
    }

    private List<PodCondition>? ReadConditions(ref Utf8JsonReader reader)
    {
        if (!reader.EnterArray()) return null;
        var conditions = new List<PodCondition>(4);
        while (reader.NextObject())
        {
            string? type = null, status = null, reason = null, message = null;
            while (reader.NextProperty())
            {
                if (reader.ValueTextEquals("type"u8)) type = reader.Text(_strings);
                else if (reader.ValueTextEquals("status"u8)) status = reader.Text(_strings);
                else if (reader.ValueTextEquals("reason"u8)) reason = reader.Text(_strings);
                else if (reader.ValueTextEquals("message"u8)) message = reader.Text(_strings);
                else reader.Skip();
            }

            conditions.Add(new PodCondition(type ?? "", status ?? "Unknown", reason, message));
        }

        return conditions;
    }

    private ContainerState? ReadContainerStatuses(ref Utf8JsonReader reader)
    {
        if (!reader.EnterArray()) return null;
        ContainerState? executors = null;
        while (reader.NextObject())
        {
            string? name = null;
            ContainerState? state = null;
            while (reader.NextProperty())
            {
                if (reader.ValueTextEquals("name"u8)) name = reader.Text(_strings);
                else if (reader.ValueTextEquals("state"u8)) state = ReadState(ref reader);
                else reader.Skip();
            }

            if (name == PodView.ContainerName) executors = state;
        }

        return executors;
    }

    private ContainerState? ReadState(ref Utf8JsonReader reader)
    {
        if (!reader.EnterObject()) return null;
        ContainerState? state = null;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("running"u8))
            {
                reader.Skip();
                state = ContainerState.Running;
            }
            else if (reader.ValueTextEquals("waiting"u8))
            {
                var (reason, message, _) = ReadWhy(ref reader);
                state = new ContainerState { WaitingReason = reason, WaitingMessage = message };
            }
            else if (reader.ValueTextEquals("terminated"u8))
            {
                var (reason, message, exitCode) = ReadWhy(ref reader);
                state = new ContainerState { TerminatedReason = reason, TerminatedMessage = message, ExitCode = exitCode };
            }
            else
            {
                reader.Skip();
            }
        }

        return state;
    }

    private (string? Reason, string? Message, int? ExitCode) ReadWhy(ref Utf8JsonReader reader)
    {
        string? reason = null, message = null;
        int? exitCode = null;
        if (!reader.EnterObject()) return default;
        while (reader.NextProperty())
        {
            if (reader.ValueTextEquals("reason"u8)) reason = reader.Text(_strings);
            else if (reader.ValueTextEquals("message"u8)) message = reader.Text(_strings);
            else if (reader.ValueTextEquals("exitCode"u8)) exitCode = reader.Number();
            else reader.Skip();
        }

        return (reason, message, exitCode);
    }
}
