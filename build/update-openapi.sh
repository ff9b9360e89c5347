#!/usr/bin/env bash
# Writes what the Manager serves at /openapi/v1.json into docs/openapi.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
UPDATE_OPENAPI=1 dotnet test test/DonkeyWork.CodeSandbox.Manager.Tests -nodeReuse:false --filter FullyQualifiedName~ApiDocumentTests
git --no-pager diff --stat -- docs/openapi.json
