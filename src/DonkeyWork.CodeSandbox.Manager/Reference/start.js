// Everything that would call another origin is off; the page's Content-Security-Policy refuses what is left.
Scalar.createApiReference('#reference', {
  url: '/openapi/v1.json',
  withDefaultFonts: false,
  telemetry: false,
  proxyUrl: '',
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
});
