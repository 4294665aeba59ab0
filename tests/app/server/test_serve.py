"""``tallow serve`` as a process: settings, TLS, proxies, signals."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import sys
from pathlib import Path

import httpx
import pytest

from support.certificates import self_signed
from support.transfers.server import startup_error, tallow_serve

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("ROOM_LIFETIME", "soon", "ROOM_LIFETIME is 'soon'; accepted: seconds above 0"),
        ("MAX_ROOMS", "-3", "MAX_ROOMS is '-3'; accepted: a whole number from 1"),
        ("ICE_SERVERS", "http://x", "ICE_SERVERS is "),
        ("TRUSTED_PROXIES", "everybody", "TRUSTED_PROXIES is "),
        ("DATABASE_URL", "mysql://root:hunter2@x/y", "DATABASE_URL is ***; accepted: postgresql://"),
        ("DATABASE_URL", "hunter2", "DATABASE_URL is ***; accepted: postgresql://"),
        ("REDIS_URL", "http://:hunter2@x", "REDIS_URL is ***; accepted: redis://, rediss:// or unix://"),
        ("CLUSTER_SECRET", "hunter2", "CLUSTER_SECRET is ***; accepted: at least 16 characters"),
        ("CLUSTER_SECRET", "hunter2" * 3, "CLUSTER_SECRET is ***; accepted: at least 16 characters"),
    ],
)
def test_an_invalid_setting_is_an_error_of_one_line(
    tmp_path: Path, name: str, value: str, error: str
) -> None:
    line = startup_error(tmp_path, **{name: value})
    assert error in line
    assert "hunter2" not in line


def test_the_error_names_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"cannot listen on 127.0.0.1:{port}" in startup_error(tmp_path, "--port", str(port))


def test_a_certificate_without_a_key_is_refused(tmp_path: Path) -> None:
    certificate, _ = self_signed(tmp_path)
    assert "--tls-cert and --tls-key go together" in startup_error(tmp_path, "--tls-cert", str(certificate))


def test_the_error_names_a_data_folder_that_cannot_be_created(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "file" in startup_error(tmp_path, "--data-dir", str(tmp_path / "file" / "inside"))


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_tls_is_served(tmp_path: Path, workers: str) -> None:
    certificate, key = self_signed(tmp_path)
    options = ("--tls-cert", str(certificate), "--tls-key", str(key), "--workers", workers)
    async with tallow_serve(tmp_path, *options) as server:
        assert server.url.startswith("https://")
        context = ssl.create_default_context(cafile=str(certificate))
        async with httpx.AsyncClient(base_url=server.url, verify=context, timeout=30) as http:
            assert (await http.get("/api/info")).status_code == 200
        connection = await server.connect("/api/signal", ssl=context)
        await connection.close()


async def test_x_forwarded_for_of_an_untrusted_proxy_is_ignored(tmp_path: Path) -> None:
    """Otherwise a client could evade all limits per address."""
    async with tallow_serve(tmp_path, ROOMS_PER_MINUTE="2") as server:
        assert await create_room_statuses(server.http) == [201, 201, 429, 429]


async def test_x_forwarded_for_of_a_trusted_proxy_is_used(tmp_path: Path) -> None:
    async with tallow_serve(tmp_path, ROOMS_PER_MINUTE="2", TRUSTED_PROXIES="127.0.0.1") as server:
        assert await create_room_statuses(server.http) == [201] * 4


async def create_room_statuses(http: httpx.AsyncClient) -> list[int]:
    """The statuses of four requests for rooms, each with another X-Forwarded-For."""
    return [
        (
            await http.post(
                "/api/rooms",
                json={"token_hash": "0" * 64},
                headers={"x-forwarded-for": f"198.51.100.{number}"},
            )
        ).status_code
        for number in range(4)
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_exit_status_after_a_signal_is_0(tmp_path: Path, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", "serve", "--port", "0", "--data-dir", str(tmp_path)),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr
    url = (await process.stderr.readline()).decode().split()[-1]
    async with httpx.AsyncClient() as http:
        while True:
            try:
                await http.get(f"{url}/api/info")
                break
            except httpx.HTTPError:
                await asyncio.sleep(0.05)
    process.send_signal(number)
    assert await process.wait() == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("all_proxy", "socks://127.0.0.1:1080/"),
        ("NO_PROXY", "[::1]"),
        ("no_proxy", "fe80::/10"),
        ("http_proxy", "http://me:hunter2@[::1"),
    ],
)
async def test_the_server_starts_with_any_proxy_settings(tmp_path: Path, name: str, value: str) -> None:
    """All features that send over HTTP are on."""
    unreachable = "http://127.0.0.1:1"
    async with tallow_serve(
        tmp_path,
        LOG_ENDPOINT=unreachable,
        PLAUSIBLE_HOST=unreachable,
        PLAUSIBLE_DOMAIN="tallow.example",
        SENTRY_DSN="http://key@127.0.0.1:1/1",
        **{name: value},
    ) as server:
        assert (await server.http.get("/api/health/readiness")).status_code == 200
