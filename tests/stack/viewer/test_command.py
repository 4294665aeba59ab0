"""``tallow viewer`` as a user starts it."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from support.dashboards.viewer import credentials_file, tallow_viewer
from tallow.stack.commands.viewer import command

HERE = "http://127.0.0.1:9"


@pytest.mark.integration
def test_serves_until_sigterm(tmp_path: Path) -> None:
    with tallow_viewer(credentials_file(tmp_path), HERE) as url:
        assert httpx.get(f"{url}/healthz").text == "ok\n"
        assert httpx.get(f"{url}/api/dashboards").status_code == 401
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


def test_a_taken_port_is_an_error(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        options = [
            "--prometheus",
            HERE,
            "--credentials-file",
            str(credentials_file(tmp_path)),
            "--port",
            port,
        ]
        result = CliRunner().invoke(command, options)
    assert result.exit_code == 1
    assert f"port {port} is taken" in result.output


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--host", "0.0.0.0"], "--tls-cert and --tls-key are needed"),
        (["--tls-cert", "FILE"], "--tls-cert and --tls-key go together"),
        (["--tls-cert", "FILE", "--tls-key", "FILE"], "accepted are a certificate and its key in PEM"),
        (["--alertmanager", "localhost:9093"], "an address such as http://127.0.0.1:9090 is expected"),
        (["--alertmanager", "http://me:secret@localhost"], "an address such as"),
        (["--dashboards", "FOLDER"], "has no dashboard for Prometheus"),
    ],
)
def test_error_names_the_problem(tmp_path: Path, options: list[str], says: str) -> None:
    file = credentials_file(tmp_path)
    (tmp_path / "empty").mkdir()
    names = {"FILE": str(file), "FOLDER": str(tmp_path / "empty")}
    given = [names.get(option, option) for option in options]
    result = CliRunner().invoke(command, ["--prometheus", HERE, "--credentials-file", str(file), *given])
    assert result.exit_code != 0
    assert says in " ".join(result.output.split())
    assert "secret" not in result.output
