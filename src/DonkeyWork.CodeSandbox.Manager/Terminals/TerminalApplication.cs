using DonkeyWork.CodeSandbox.Sandboxes.Backends;
using DonkeyWork.CodeSandbox.Sandboxes.Execution;
using Microsoft.AspNetCore.Http.Features;

namespace DonkeyWork.CodeSandbox.Manager.Terminals;

/// <summary>Makes WebSockets of requests that ask for one, and notices callers that are gone without a word.</summary>
internal static class TerminalApplication
{
    public static void UseTerminals(this IApplicationBuilder app)
    {
        // In this order: the second takes its connections from the first.
        app.Use((context, next) =>
        {
            var clock = context.RequestServices.GetRequiredService<TimeProvider>();
            if (context.Features.Get<IHttpUpgradeFeature>() is { } upgrade) context.Features.Set<IHttpUpgradeFeature>(new Upgrade(upgrade, clock));
            if (context.Features.Get<IHttpExtendedConnectFeature>() is { } connect) context.Features.Set<IHttpExtendedConnectFeature>(new ExtendedConnect(connect, clock));
            return next(context);
        });
        app.UseWebSockets();
    }

    private static ListeningStream Listen(Stream connection, TimeProvider clock) => new(connection, ExecutorResponse.Silence, clock);

    /// <summary>HTTP/1.1's way (RFC 6455).</summary>
    private sealed class Upgrade(IHttpUpgradeFeature feature, TimeProvider clock) : IHttpUpgradeFeature
    {
        public bool IsUpgradableRequest => feature.IsUpgradableRequest;

        public async Task<Stream> UpgradeAsync() => Listen(await feature.UpgradeAsync(), clock);
    }

    /// <summary>HTTP/2's (RFC 8441).</summary>
    private sealed class ExtendedConnect(IHttpExtendedConnectFeature feature, TimeProvider clock) : IHttpExtendedConnectFeature
    {
        public bool IsExtendedConnect => feature.IsExtendedConnect;

        public string? Protocol => feature.Protocol;

        public async ValueTask<Stream> AcceptAsync() => Listen(await feature.AcceptAsync(), clock);
    }
}
