"""The commands of `tallow` on a stack of containers with other ports: they work as with the native engine."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from support.docker.compose_stack import ComposeStack
from support.docker.engine import DockerEngine
from support.stack import wait_until
from tallow.stack.engines.docker.project import project_name
from tallow.stack.engines.state.state_dir import StateDir

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

OFFSET = 10_000
MAIL_SERVER = "SMTP_HOST=mail.example.org\nALERT_EMAIL_DEFAULT=ops@example.org\n"
"""Settings with which the stack has no mailbox of its own."""


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """A stack that `tallow up` has started with moved ports, and with times a tenth of the real ones."""
    folder = tmp_path_factory.mktemp("commands")
    started = ComposeStack(engine, StateDir(folder / "home"), folder, {"COLUMNS": "200"}, OFFSET)
    try:
        started.tallow("up", "--engine", "docker", "--port-offset", str(OFFSET), "--scale", "0.1")
        yield started
    finally:
        started.run("down", "--purge")


@pytest.fixture
def settings(stack: ComposeStack) -> Iterator[Any]:
    """A function that writes `.env`, which is removed at the end, and the stack uses no setting again."""
    file = stack.work / ".env"
    yield file.write_text
    file.unlink(missing_ok=True)
    stack.tallow("reload")


def services(stack: ComposeStack) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(stack.run("status", "--json").stdout)["services"]
    return found


def all_healthy(stack: ComposeStack) -> bool:
    return {found["state"] for found in services(stack).values()} == {"healthy"}


def test_every_port_is_moved(stack: ComposeStack) -> None:
    assert all_healthy(stack)
    published = {
        int(port["HostPort"])
        for service in services(stack)
        for ports in (stack.container(service)["HostConfig"]["PortBindings"] or {}).values()
        for port in ports
    }
    assert published == {OFFSET + port for port in (3000, 3001, 8025, 8080, 9090, 9093, 9095, 9100)}
    assert wait_until(lambda: len(stack.query("up == 1")) == 6, "every job scraped")


def test_a_running_stack_keeps_its_ports(stack: ComposeStack) -> None:
    done = stack.run("up", "--port-offset", "0")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(
        f"Error: it runs already, with --port-offset {OFFSET}; stop it first (tallow down)"
    )


def test_status_shows_the_memory_of_each_container(stack: ComposeStack) -> None:
    lines = stack.tallow("status").splitlines()
    assert "memory" in lines[0]
    for service in services(stack):
        line = next(line for line in lines if re.match(rf"\S\s+{service}\s", line))
        assert re.search(r"\d (MB|GB)\b", line), line


def test_a_killed_container_is_named_with_its_remedy(stack: ComposeStack) -> None:
    stack.engine.docker("kill", stack.container_id("tallow"))
    done = stack.run("status")
    found = services(stack)["tallow"]
    assert done.returncode == 1
    assert found["state"] == "ended"
    assert "SIGKILL (status 137)" in found["why"]
    command = found["why"].partition("start it again with: ")[2]
    assert command in done.stdout
    assert "up --home" in command
    stack.tallow("up")
    assert all_healthy(stack)


def test_a_service_that_down_stopped_is_no_failure_and_stays_down(stack: ComposeStack) -> None:
    stack.tallow("down", "node-exporter")
    assert services(stack)["node-exporter"]["state"] == "stopped"
    done = stack.run("restart", "node-exporter")
    assert (done.returncode, done.stderr) == (1, "Error: not running: node-exporter; start with: tallow up\n")
    stack.tallow("up")
    assert all_healthy(stack)


def test_a_service_is_restarted(stack: ComposeStack) -> None:
    before = stack.container("alertmanager")["State"]["StartedAt"]
    assert stack.tallow("restart", "alertmanager") == "restarted and healthy: alertmanager\n"
    assert stack.container("alertmanager")["State"]["StartedAt"] > before


@pytest.mark.parametrize("command", ["restart", "logs", "down"])
def test_a_service_of_the_other_engine_is_refused(stack: ComposeStack, command: str) -> None:
    done = stack.run(command, "dashboards")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: this stack has no dashboards; accepted: tallow, prometheus, ")
    assert all_healthy(stack)


def test_followed_logs_show_new_lines_until_ctrl_c(stack: ComposeStack) -> None:
    command = [sys.executable, "-m", "tallow", "logs", "tallow", "--follow", "--json", "-n", "1"]
    with stack.engine.network():
        process = subprocess.Popen(
            [*command, "--home", str(stack.home.root)],
            env=os.environ | stack.engine.environment | {"PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    try:
        assert process.stdout is not None
        assert "timestamp" in process.stdout.readline()
        with stack.engine.network():
            httpx.get(
                f"http://127.0.0.1:{OFFSET + 3000}/",
                headers={"X-Request-ID": "followed-0001"},
                trust_env=False,
            )
            httpx.post(f"http://127.0.0.1:{OFFSET + 3000}/api/rooms", json={"token_hash": 1}, trust_env=False)
        new = json.loads(process.stdout.readline())
        assert new["service"] == "tallow"
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert "Traceback" not in errors
    assert process.returncode == 130


def test_alerts_are_shown_and_a_test_alert_reaches_the_mailbox(stack: ComposeStack) -> None:
    def watchdog_fires() -> bool:
        return "Watchdog" in stack.run("alerts", "--json").stdout

    wait_until(watchdog_fires, "Watchdog")
    sent = stack.tallow("alerts", "test")
    number = re.search(
        r"email +delivered after \S+ s: stored in the mailbox: tallow inbox (\d+)$", sent, re.MULTILINE
    )
    assert number, sent
    text = stack.tallow("inbox", number[1])
    assert sent.splitlines()[0] in text
    links = re.findall(r"http://localhost:(\d+)/", text)
    assert links
    assert {int(port) for port in links} <= {OFFSET + port for port in (3001, 9090, 9093, 9095)}


def test_a_receiver_that_refuses_is_named_with_its_reason(stack: ComposeStack, settings: Any) -> None:
    settings("SLACK_WEBHOOK_URL=http://127.0.0.1:9/services/T0/B0/x\n")
    stack.tallow("reload")
    done = stack.run("alerts", "test", "critical-alerts")
    assert done.returncode == 1
    assert re.search(r"^slack +failed: .*connection refused", done.stdout, re.MULTILINE), done.stdout


def test_the_demo_sends_through_a_container(stack: ComposeStack) -> None:
    address = f"http://127.0.0.1:{OFFSET + 3000}"
    with stack.engine.network():
        done = subprocess.run(
            [sys.executable, "-m", "tallow", "demo", "--server", address, "--transfers", "6", "--no-browser"],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    counted = "sum(increase(tallow_transfers_total[10m])) > 0"
    assert wait_until(lambda: stack.query(counted), "the transfers in Prometheus")


def test_rotated_credentials_replace_the_old_ones(stack: ComposeStack) -> None:
    old = stack.login
    stack.tallow("credentials", "rotate")
    assert stack.login != old
    for port, path in (
        (9090, "/-/ready"),
        (9093, "/-/ready"),
        (9095, "/status"),
        (9100, "/metrics"),
        (8025, "/"),
    ):
        assert stack.get(port, path).status_code == 200, port
        assert stack.get(port, path, login=old).status_code == 401, port
    stored = stack.engine.docker("exec", stack.container_id("grafana"), "cat", "/var/lib/grafana/password")
    assert stored.strip() == stack.login[1]
    assert wait_until(lambda: len(stack.query("up == 1")) == 6, "every job scraped with the new credentials")
    assert "nothing has changed" in stack.tallow("reload")


def test_up_leaves_a_running_stack_alone_and_names_what_reload_would_do(
    stack: ComposeStack, settings: Any
) -> None:
    settings("LOG_LEVEL=debug\n")
    started = stack.container("tallow")["State"]["StartedAt"]
    assert "settings or Tallow's version have changed since it was started" in stack.tallow("up")
    assert stack.container("tallow")["State"]["StartedAt"] == started
    assert "tallow: restarted" in stack.tallow("reload")
    assert "have changed" not in stack.tallow("up")


def test_a_reload_that_tallow_rejects_is_undone(stack: ComposeStack, settings: Any) -> None:
    settings(f"DATABASE_URL=postgresql://tallow@127.0.0.1:9/tallow\n{MAIL_SERVER}")
    done = stack.run("reload")
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: tallow does not start: ")
    assert line.endswith("; the change was undone")
    assert all_healthy(stack)
    assert "mailbox" in services(stack)
    used = stack.engine.docker("exec", stack.container_id("tallow"), "cat", "/run/secrets/settings.env")
    assert "DATABASE_URL" not in used


def test_a_reload_whose_new_service_cannot_start_is_undone(stack: ComposeStack, settings: Any) -> None:
    settings(MAIL_SERVER)
    stack.tallow("reload")
    assert "mailbox" not in services(stack)
    assert stack.container_id("mailbox") == ""
    name = f"{project_name(stack.home)}-holder"
    holder = ("run", "--detach", "--name", name, "--publish", f"127.0.0.1:{OFFSET + 8025}:80")
    image = stack.container("grafana")["Config"]["Image"]
    stack.engine.docker(*holder, "--entrypoint", "sleep", image, "600")
    try:
        settings("LOG_LEVEL=info\n")
        done = stack.run("reload")
    finally:
        stack.engine.docker("rm", "--force", name)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert str(OFFSET + 8025) in line
    assert line.endswith("; the change was undone")
    assert "mailbox" not in services(stack)
    assert all_healthy(stack)


def test_a_restart_makes_every_container_anew_and_keeps_the_data(stack: ComposeStack) -> None:
    before = {service: stack.container(service)["Id"] for service in services(stack)}
    scraped = stack.query("count_over_time(up{job='tallow'}[30m])")[0]["value"][1]
    stack.tallow("up", "--restart")
    after = {service: stack.container(service)["Id"] for service in services(stack)}
    assert after.keys() == before.keys()
    assert not {*before.values()} & {*after.values()}
    assert int(stack.query("count_over_time(up{job='tallow'}[30m])")[0]["value"][1]) >= int(scraped)
