"""The OpenTelemetry Collector with the components that Tallow's configuration uses, built from Go modules."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

VERSION = "v0.165.0"
PROVIDERS = "v1.71.0"
_CORE, _CONTRIB = "go.opentelemetry.io/collector", "github.com/open-telemetry/opentelemetry-collector-contrib"
MANIFEST = f"""
dist: {{name: otelcol, output_path: ./build}}
receivers:
  - gomod: {_CORE}/receiver/otlpreceiver {VERSION}
  - gomod: {_CONTRIB}/receiver/filelogreceiver {VERSION}
exporters:
  - gomod: {_CORE}/exporter/debugexporter {VERSION}
  - gomod: {_CORE}/exporter/otlphttpexporter {VERSION}
processors:
  - gomod: {_CORE}/processor/memorylimiterprocessor {VERSION}
extensions:
  - gomod: {_CONTRIB}/extension/healthcheckextension {VERSION}
  - gomod: {_CONTRIB}/extension/storage/filestorage {VERSION}
providers:
  - gomod: {_CORE}/confmap/provider/envprovider {PROVIDERS}
  - gomod: {_CORE}/confmap/provider/fileprovider {PROVIDERS}
"""
CACHE = Path.home() / ".cache" / "tallow-go" / f"otelcol-{VERSION}"
BUILD_TIMEOUT_S = 1800


def otel_collector() -> Path:
    """Return the program's path. It is built once, in about two minutes with an empty cache, and is static.

    The test is skipped where Go is not installed and the program was not built before.
    """
    program = CACHE / "build" / "otelcol"
    if program.exists():
        return program
    if shutil.which("go") is None:
        pytest.skip("needs Go to build the Collector")
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "manifest.yaml").write_text(MANIFEST)
    environment = os.environ | {"GOBIN": str(CACHE), "CGO_ENABLED": "0"}
    builder = f"{_CORE}/cmd/builder@{VERSION}"
    for command in (["go", "install", builder], [str(CACHE / "builder"), "--config", "manifest.yaml"]):
        done = subprocess.run(
            command,
            cwd=CACHE,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_TIMEOUT_S,
        )
        assert done.returncode == 0, done.stderr[-2000:]
    return program
