namespace DonkeyWork.CodeSandbox.Kubernetes.Api.Objects;

/// <summary>What every object has.</summary>
public interface IApiObject
{
    /// <summary>Its name, unique among those of its kind and namespace at one time.</summary>
    string Name { get; }

    /// <summary>Its identity, never used again.</summary>
    string Uid { get; }

    /// <summary>Its version, opaque, another one after every change.</summary>
    string ResourceVersion { get; }
}
