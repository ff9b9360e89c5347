# The Manager's image: docker build -t kata-manager-api .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 UseSharedCompilation=false
WORKDIR /source
# Settings of the network that the image is built in, where it is not the open one.
ARG NPM_CONFIG_REGISTRY
ARG SSL_CERT_FILE
COPY build/common.sh build/fetch-scalar.sh build/
RUN build/fetch-scalar.sh
COPY BannedSymbols.txt Directory.Build.props Directory.Packages.props global.json ./
COPY src src
RUN dotnet publish src/DonkeyWork.CodeSandbox.Manager -c Release -o /app -nodeReuse:false

FROM mcr.microsoft.com/dotnet/aspnet:10.0
COPY --from=build /app /app
# Other than on loopback the Manager listens only with an ApiKey. Nothing is written to the root file system.
ENV ASPNETCORE_URLS=http://+:8668 ASPNETCORE_HTTP_PORTS= DOTNET_EnableDiagnostics=0
USER 1000:1000
WORKDIR /app
EXPOSE 8668
ENTRYPOINT ["/app/codesandbox-manager"]
