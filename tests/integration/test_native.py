"""The complete native stack: start, access control, restarts, upgrades and removal."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from click.testing import CliRunner

from support.commands import run, run_without_reader
from support.stack import Stack, expect_value, stack, wait_until
from tallow import __version__
from tallow.cli import main
from tallow.stack import credentials
from tallow.stack.alerts import RULES
from tallow.stack.dashboards import dashboards
from tallow.stack.deployment import NATIVE
from tallow.stack.engines.native.purge import PurgeResult, purge
from tallow.stack.engines.services.definitions import NAMES, ports
from tallow.stack.engines.supervisor import state_files

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("native")]

SCALE = 1 / 10
"""A scrape every 1.5 s instead of 15 s, and Watchdog every 12 s instead of two minutes."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("native"), SCALE) as started:
        yield started
    assert started.processes() == []
    for name in ("tallow", "supervisor"):
        lines = (started.state_dir.logs / f"{name}.log").read_text().splitlines()
        assert lines
        assert all(isinstance(json.loads(line), dict) for line in lines), (
            f"{name}.log contains only JSON lines"
        )
    assert purge(started.state_dir) == PurgeResult(), "purge knows every file that the services wrote"
    assert not started.state_dir.root.exists()


def pids(running: Stack) -> dict[str, int]:
    return {name: running.process(name).pid for name in NAMES}


def tallow(running: Stack, *arguments: str) -> str:
    """Run a command, which must succeed; returns its output."""
    done = CliRunner().invoke(main, [*arguments, "--home", str(running.state_dir.root)])
    assert done.exit_code == 0, done.output
    return done.output


def test_every_job_is_scraped(running: Stack) -> None:
    jobs = NATIVE.job_names
    expect_value(lambda: [running.value(f"count({one})") for one in ("up == 1", "up")], [len(jobs)] * 2)


def test_a_second_start_keeps_the_running_services(running: Stack) -> None:
    before = pids(running)
    running.start()
    assert pids(running) == before


@pytest.mark.parametrize("service", ["prometheus", "alertmanager", "node-exporter", "heartbeat"])
def test_without_the_password_metrics_are_refused(running: Stack, service: str) -> None:
    assert httpx.get(f"http://127.0.0.1:{running.port(service)}/metrics").status_code == 401


def test_metrics_require_the_token(running: Stack) -> None:
    url = f"http://127.0.0.1:{running.port('tallow')}/metrics"
    assert httpx.get(url).status_code == 401
    token = (running.state_dir.secrets / "metrics_token").read_text()
    assert httpx.get(url, headers={"authorization": f"Bearer {token}"}).status_code == 200


def test_the_dashboards_query_prometheus_and_alertmanager(running: Stack) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{running.port('dashboards')}") as browser:
        asked = "/api/prometheus/query?query=up"
        assert browser.get(asked).status_code == 401
        entered = {"password": credentials.password(running.state_dir.secrets)}
        assert browser.post("/login", data=entered).status_code == 303
        wait_until(lambda: browser.get(asked).json()["data"]["result"], "Prometheus answers")
        assert browser.get("/api/alertmanager/alerts").status_code == 200
        listed = {board["uid"] for board in browser.get("/api/dashboards").json()}
    assert listed == {uid for uid in dashboards() if uid != "tallow-logs"}


def test_a_failed_login_of_the_dashboards_is_counted_and_logged(running: Stack) -> None:
    url = f"http://127.0.0.1:{running.port('dashboards')}"
    assert httpx.get(f"{url}/metrics").status_code == 401
    failures = 'sum(tallow_viewer_login_failures_total{job="dashboards"})'
    wait_until(lambda: running.value(failures) == 0, "the dashboards are scraped")
    assert httpx.post(f"{url}/login", data={"password": "hunter2-typed"}).status_code == 401
    wait_until(lambda: running.value(failures) == 1, "the failure is counted")
    command = ("logs", "dashboards", "--level", "warning", "--json", "--grep", "Viewer login failed")
    output = wait_until(lambda: tallow(running, *command), "the failure is logged")
    [record] = [json.loads(line) for line in output.splitlines()]
    assert (record["service"], record["reason"]) == ("dashboards", "wrong_password")
    assert "hunter2" not in output


def test_alerts_link_to_the_dashboards(running: Stack) -> None:
    rules = running.get("prometheus", "/api/v1/rules", type="alert").json()["data"]["groups"]
    links = {
        rule["annotations"]["dashboard_url"]
        for group in rules
        for rule in group["rules"]
        if "dashboard_url" in rule["annotations"]
    }
    assert links
    for link in links:
        address = urlsplit(link)
        assert (address.hostname, address.port) == ("localhost", running.port("dashboards"))
        panels = {panel["id"] for panel in dashboards()[address.path.removeprefix("/d/")]["panels"]}
        assert {int(panel) for panel in parse_qs(address.query).get("viewPanel", [])} <= panels


def test_every_address_is_of_this_stack(running: Stack) -> None:
    """A second stack with a port offset must not link to the first one."""
    home = running.state_dir
    shown = {path.name: path.read_text() for path in home.config.rglob("*") if path.is_file()}
    shown["status"] = tallow(running, "status")
    shown["open"] = tallow(running, "open", "dashboards")
    for alert in RULES:
        page = running.get("heartbeat", f"/runbooks/{alert}")
        assert page.is_success
        shown[alert] = page.text
    for service, path in (("prometheus", "/api/v1/status/flags"), ("alertmanager", "/api/v2/status")):
        shown[service] = running.get(service, path).text
    for name, text in shown.items():
        found = {int(port) for port in re.findall(r"(?:localhost|127\.0\.0\.1):(\d+)", text)}
        assert found <= set(ports(running.options.port_offset).values()), name
    assert f"http://localhost:{running.port('prometheus')}" in shown["prometheus"]


def test_a_page_of_another_origin_cannot_read_prometheus(running: Stack) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{running.port('prometheus')}/api/v1/query?query=up",
        auth=("tallow", credentials.password(running.state_dir.secrets)),
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_services_listen_only_on_loopback(running: Stack) -> None:
    for name in NAMES:
        addresses = {
            connection.laddr.ip
            for connection in running.process(name).net_connections("tcp")
            if connection.status == "LISTEN"
        }
        assert addresses == {"127.0.0.1"}, name


def test_no_secret_is_in_a_command_line_a_log_or_a_readable_file(running: Stack) -> None:
    secrets = [credentials.read(running.state_dir.secrets, one) for one in credentials.CREDENTIALS]
    for process in running.processes():
        assert not any(secret in part for secret in secrets for part in process.info["cmdline"])
    for log in running.state_dir.logs.iterdir():
        assert not any(secret in log.read_text() for secret in secrets)
    for parent, _, names in os.walk(running.state_dir.root):
        for path in (Path(parent), *(Path(parent, name) for name in names)):
            with suppress(FileNotFoundError):  # a service has removed it meanwhile
                assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path


def test_a_killed_program_is_restarted(running: Stack) -> None:
    before, restarts = running.process("node-exporter"), running.running("node-exporter").restarts
    before.kill()
    wait_until(lambda: running.running("node-exporter").restarts > restarts, "the restart is counted")
    assert running.process("node-exporter").pid != before.pid
    wait_until(running.healthy, "healthy again")


def test_the_exit_reason_is_in_the_supervisors_log_and_in_the_status(running: Stack) -> None:
    process = running.process("tallow")
    process.terminate()
    wait_until(lambda: running.running("tallow").pid not in {None, process.pid}, "Tallow runs again")
    wait_until(running.healthy, "healthy again")
    ended = json.loads(tallow(running, "status", "--json"))["services"]["tallow"]["last_exit"]
    assert ended["cause"] == "exited"
    assert ended["status"] in {0, -signal.SIGTERM}
    assert ended["reason"] in tallow(running, "logs", "supervisor", "--grep", f'pid": {process.pid}')


def test_an_upgrade_is_reported_and_the_stack_is_restarted_on_request(running: Stack) -> None:
    assert "older" not in tallow(running, "up"), "no newer release is installed"
    plan = state_files.read_plan(running.state_dir)
    assert plan.release
    state_files.write_plan(running.state_dir, replace(plan, release=replace(plan.release, version="0.0.1")))
    before, supervisor = pids(running), state_files.supervisor_pid(running.state_dir)
    output = " ".join(tallow(running, "up").split())
    assert f"Tallow: 0.0.1 runs, {__version__} is here" in output
    assert "up --restart" in output
    assert pids(running) == before
    state_files.write_plan(running.state_dir, plan)
    tallow(running, "up", "--restart")
    assert state_files.supervisor_pid(running.state_dir) != supervisor
    assert set(before.values()).isdisjoint(pids(running).values()), "it restarts the present release, too"
    again = pids(running)
    assert "older" not in tallow(running, "up")
    assert pids(running) == again
    log = tallow(running, "logs", "supervisor", "--grep", "supervisor ends")
    assert "tallow up --restart" in log


def test_services_of_an_older_stack_are_started_with_the_present_commands(running: Stack) -> None:
    """An older supervisor restarts a service with a command that the present code rejects."""
    home = running.state_dir
    plan, supervisor = state_files.read_plan(home), state_files.supervisor_pid(home)
    assert plan.release
    assert supervisor
    tasks = tuple(
        replace(task, command=[*task.command, "--removed-option"]) if task.name == "heartbeat" else task
        for task in plan.tasks
    )
    older = replace(plan, tasks=tasks, release=replace(plan.release, version="0.0.1"))
    state_files.update_plan(home, lambda _: older, supervisor)
    wait_until(lambda: running.running("heartbeat").restarts >= 1, "the heartbeat checker fails")
    status = CliRunner().invoke(main, ["status", "--home", str(home.root)])
    assert status.exit_code == 1
    assert f"Tallow: 0.0.1 runs, {__version__} is here" in status.output
    assert "up --restart" in status.output
    before = {name: running.process(name).pid for name in NAMES if name != "heartbeat"}
    tallow(running, "up")
    assert running.healthy()
    assert state_files.read_plan(home).tasks == plan.tasks
    assert {name: running.process(name).pid for name in before} == before
    state_files.update_plan(home, lambda present: replace(present, release=plan.release), supervisor)


def test_an_invalid_setting_keeps_the_old_release_running(running: Stack) -> None:
    plan = state_files.read_plan(running.state_dir)
    state_files.write_plan(running.state_dir, replace(plan, release=None))
    before = pids(running)
    env = Path(running.options.env_folder) / ".env"
    env.write_text("SMTP_PORT=many\n")
    try:
        refused = CliRunner().invoke(main, ["up", "--restart", "--home", str(running.state_dir.root)])
    finally:
        env.unlink()
    assert refused.exit_code == 1
    assert "SMTP_PORT" in refused.output
    assert pids(running) == before
    state_files.write_plan(running.state_dir, plan)


def test_the_liveness_timeout_can_be_changed_while_the_stack_runs(running: Stack) -> None:
    before = pids(running)
    tallow(running, "up", "--liveness-timeout", "0")
    assert state_files.read_plan(running.state_dir).liveness_timeout == 0
    tallow(running, "up")
    assert state_files.read_plan(running.state_dir).liveness_timeout == 0, "it is remembered"
    tallow(running, "up", "--liveness-timeout", "120")
    assert state_files.read_plan(running.state_dir).liveness_timeout == 120
    assert pids(running) == before


def test_a_silence_survives_a_kill(running: Stack) -> None:
    """By default Alertmanager writes silences to disk only every 15 minutes."""
    tallow(running, "silence", "add", "HighRelayUsage", "--for", "1h", "--comment", "kept")
    snapshot = running.state_dir.data / "alertmanager" / "silences"
    wait_until(lambda: snapshot.exists() and b"HighRelayUsage" in snapshot.read_bytes(), "it is on disk")
    process = running.process("alertmanager")
    process.kill()
    wait_until(
        lambda: running.running("alertmanager").pid not in {None, process.pid}, "Alertmanager runs again"
    )
    wait_until(running.healthy, "healthy again")
    assert "HighRelayUsage" in tallow(running, "silence", "list")


def test_a_restart_on_request_is_not_counted_as_a_failure(running: Stack) -> None:
    before = running.running("node-exporter")
    assert "restarted and healthy: node-exporter" in tallow(running, "restart", "node-exporter")
    after = running.running("node-exporter")
    assert after.pid != before.pid
    assert after.restarts == before.restarts
    assert after.last_exit
    assert after.last_exit.reason == "restarted on request: tallow restart"
    wait_until(running.healthy, "healthy again")


def test_a_killed_supervisor_is_detected_and_replaced(running: Stack) -> None:
    supervisor = state_files.supervisor_pid(running.state_dir)
    assert supervisor
    os.kill(supervisor, signal.SIGKILL)
    wait_until(lambda: state_files.supervisor_pid(running.state_dir) is None, "the supervisor has ended")
    result = CliRunner().invoke(main, ["status", "--home", str(running.state_dir.root)])
    assert result.exit_code == 3
    assert "the supervisor has ended" in result.output
    orphans = pids(running)
    running.start()
    assert set(orphans.values()).isdisjoint(pids(running).values())


def test_rotated_credentials_are_in_use_at_once(running: Stack) -> None:
    old = credentials.password(running.state_dir.secrets)
    tallow(running, "credentials", "rotate")
    url = f"http://127.0.0.1:{running.port('prometheus')}/-/ready"
    wait_until(lambda: httpx.get(url, auth=("tallow", old)).status_code == 401, "the old password is void")
    wait_until(running.healthy, "healthy with the new ones")
    login = f"http://127.0.0.1:{running.port('dashboards')}/login"
    assert httpx.post(login, data={"password": old}).status_code == 401
    wait_until(lambda: running.value('up{job="tallow"}') == 1, "scraped with the new token")
    heartbeat = f"http://127.0.0.1:{running.port('heartbeat')}/status"
    assert httpx.get(heartbeat, auth=("tallow", old)).status_code == 401
    before = running.get("heartbeat", "/status").json()["last_beat"] or 0
    wait_until(
        lambda: (running.get("heartbeat", "/status").json()["last_beat"] or 0) > before,
        "Alertmanager sends Watchdog with the new password",
        200,
    )


def test_reload_brings_changed_settings_into_effect(running: Stack) -> None:
    env = Path(running.options.env_folder) / ".env"
    env.write_text("SLACK_WEBHOOK_URL=https://hooks.slack.example/services/secret\n")
    try:
        hint, dashboards_before = tallow(running, "up"), running.process("dashboards").pid
        assert "tallow reload" in hint
        assert "reloaded" in tallow(running, "reload")
        wait_until(
            lambda: "slack_configs" in running.get("alertmanager", "/api/v2/status").text,
            "Slack is configured",
        )
        assert "services/secret" not in running.get("alertmanager", "/api/v2/status").text
        assert running.process("dashboards").pid == dashboards_before, "sessions are kept"
    finally:
        env.unlink()
    tallow(running, "reload")
    assert not (running.state_dir.secrets / "alertmanager/slack_webhook_url").exists()
    wait_until(running.healthy, "healthy")


def test_status_reports_that_no_receiver_is_configured(running: Stack) -> None:
    expect_value(lambda: tallow(running, "status").count("healthy"), len(NAMES))
    assert "no notifications by" in tallow(running, "status")


@pytest.mark.parametrize("columns", ["80", "60"])
def test_status_is_complete_when_services_fail(running: Stack, columns: str) -> None:
    held, hung, killed = "heartbeat", "prometheus", "node-exporter"
    restarts = running.running(killed).restarts
    tallow(running, "down", held)
    running.process(hung).suspend()
    running.process(killed).kill()
    try:
        wait_until(lambda: running.running(killed).restarts > restarts, "the restart is counted")
        done = CliRunner(env={"COLUMNS": columns}).invoke(
            main, ["status", "--home", str(running.state_dir.root)]
        )
    finally:
        running.process(hung).resume()
        running.start()
    assert done.exit_code == 1
    lines = done.output.splitlines()
    assert max(len(line) for line in lines if str(running.state_dir.root) not in line) <= int(columns)
    for name in NAMES:
        assert any(f" {name} " in line and str(running.port(name)) in line for line in lines)
    output = " ".join(done.output.split())
    assert "stopped on request: tallow down" in output
    assert "suspended by SIGSTOP" in output
    assert "ended by SIGKILL" in output
    assert not re.search(r"\b[A-Z]\w+(Error|Timeout|Exception|Disconnected)\b", output)


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["alerts"],
        ["alerts", "--json"],
        ["query", "up"],
        ["silence", "list", "--all"],
        ["logs", "-n", "10000"],
        ["inbox"],
    ],
    ids=" ".join,
)
def test_a_closed_pipe_changes_no_exit_status(running: Stack, arguments: list[str]) -> None:
    command = [*arguments, "--home", str(running.state_dir.root)]
    # Alerts may begin or end between the two runs, which changes the status of `alerts`.
    assert wait_until(
        lambda: run_without_reader(*command)[::2] == (run(*command).status, ""), "the same status, no error"
    )


def test_logs_are_shown_as_lines_with_times(running: Stack) -> None:
    output = tallow(running, "logs", "prometheus", "--grep", "Server is ready")
    assert "Server is ready to receive web requests." in output
    assert "level" not in output  # the level is parsed and not printed
    assert tallow(running, "logs", "prometheus", "--level", "fatal") == ""
