"""`tallow reload` applies a change to every service or refuses it as a whole; `tallow up` checks the same."""

from __future__ import annotations

import base64
import os
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import pytest
from click.testing import CliRunner, Result

from support.stack import Stack, stack, wait_until
from tallow.cli import main
from tallow.stack.engines import configuration
from tallow.stack.engines.reload import candidate
from tallow.stack.engines.reload.acceptance import reload_state
from tallow.stack.engines.services.definitions import NAMES
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("reload")]

TOKEN = "correct-horse-battery-staple"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("reload")) as running:
        yield running
    assert running.processes() == []


@pytest.fixture
def running(started: Stack) -> Iterator[Stack]:
    """The stack without settings, before and after a test."""
    yield started
    env(started).unlink(missing_ok=True)
    cleared = dict.fromkeys(("LOG_LEVEL", "SMTP_HOST", "ALERT_EMAIL_DEFAULT"), "")
    done = reload(started, **cleared)
    assert done.exit_code == 0, done.output


def env(running: Stack) -> Path:
    return Path(running.options.env_folder) / ".env"


def tallow(running: Stack, *arguments: str, **environment: str) -> Result:
    return CliRunner(env=environment).invoke(main, [*arguments, "--home", str(running.state_dir.root)])


def reload(running: Stack, text: str | None = None, **environment: str) -> Result:
    """Write ``.env`` and reload."""
    if text is not None:
        env(running).write_text(text)
    return tallow(running, "reload", **environment)


def pids(running: Stack) -> dict[str, int]:
    return {name: running.process(name).pid for name in NAMES}


def restarted(running: Stack, before: dict[str, int]) -> set[str]:
    return {name for name, pid in pids(running).items() if pid != before[name]}


def file_contents(home: StateDir) -> dict[str, str]:
    """All files that depend on settings."""
    return {
        str(path): path.read_text()
        for folder in (home.config, home.secrets)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


BAD = {
    "LOG_LEVEL=verbose": "LOG_LEVEL is 'verbose'; accepted: debug, info, warning, error or fatal ({env}, ",
    "SENTRY_DSN=hello": "SENTRY_DSN is ***; accepted: a DSN such as https://KEY@sentry.example.org/1",
    "REMOTE_WRITE_URL=://x": "REMOTE_WRITE_URL is ***; accepted: an address that starts with https:// or ",
    "METRICS_TOKEN=short": "METRICS_TOKEN is ***; accepted: at least 16 printable characters without a space",
    "\nMAX_ROOM=5": "{env}, line 2: MAX_ROOM is no setting; did you mean MAX_ROOMS?",
    "SMTP_PASWORD=x\nSMTP_USER=y": "{env}, line 1: SMTP_PASWORD is no setting; did you mean SMTP_PASSWORD?",
    "# x\nMAX_ROOMS 5": "{env}, line 2, MAX_ROOMS: it does not have the form NAME=value",
    "SMTP_PASSWORD_FILE=/nonexistent": "SMTP_PASSWORD_FILE is '/nonexistent'; accepted: a file of 1 byte to ",
    "CLUSTER_SECRET_FILE=/dev/null": "CLUSTER_SECRET_FILE is '/dev/null'; accepted: a file of 1 byte to ",
    "LOG_LEVEL_FILE=level": "{env}, line 1: LOG_LEVEL takes no file; set LOG_LEVEL itself",
    "TALLOW_FAULTS=1": "TALLOW_FAULTS is on and TALLOW_FAULTS_TOKEN is not set; accepted: ",
    "\0": "{env} cannot be read: it is not a text file",
}
"""Lines of ``.env``, and the beginning of the error."""


@pytest.mark.parametrize("text", BAD)
def test_an_invalid_setting_is_one_line_and_changes_nothing(started: Stack, text: str) -> None:
    before, processes = file_contents(started.state_dir), pids(started)
    done = reload(started, text)
    line = BAD[text].format(env=env(started))
    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(f"Error: {line}")
    assert done.stdout == ""
    assert file_contents(started.state_dir) == before
    assert pids(started) == processes


def test_up_refuses_an_invalid_setting_and_starts_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("SENTRY_DSN=hello\n")
    home = StateDir(tmp_path / "home")
    done = CliRunner().invoke(main, ["up", "--port-offset", "23000", "--home", str(home.root)])
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: SENTRY_DSN is ***; accepted: a DSN")
    assert file_contents(home) == {}
    assert state_files.supervisor_pid(home) is None


def test_up_on_a_running_stack_refuses_an_invalid_setting(running: Stack) -> None:
    processes = pids(running)
    env(running).write_text("LOG_LEVEL=verbose\n")
    done = tallow(running, "up")
    assert done.exit_code == 1
    assert "LOG_LEVEL is 'verbose'" in done.stderr
    assert pids(running) == processes


def test_without_a_change_nothing_is_done(running: Stack) -> None:
    processes = pids(running)
    done = reload(running, "# a comment\nOF_ANOTHER_PROGRAM=1\n")
    assert (done.exit_code, done.output) == (
        0,
        "nothing has changed; every service uses the present settings\n",
    )
    assert pids(running) == processes


def test_only_services_that_read_a_changed_setting_are_restarted(running: Stack) -> None:
    switch = "HEARTBEAT_URL=http://127.0.0.1:9/x\n"
    for text, service in {
        "LOG_LEVEL=debug\n": "tallow",
        f"LOG_LEVEL=debug\n{switch}": "heartbeat",
        f"LOG_LEVEL=error\n{switch}": "tallow",
        "LOG_LEVEL=error\n": "heartbeat",
    }.items():
        before = pids(running)
        done = reload(running, text)
        assert (done.exit_code, restarted(running, before)) == (0, {service}), done.output
        assert running.running(service).restarts == 0
        assert f"{service}: restarted\n" in done.stdout
    assert "tallow reload: HEARTBEAT_URL changed" in (running.state_dir.logs / "supervisor.log").read_text()


def start_metrics(running: Stack) -> dict[str, float]:
    """Tallow's start times in Unix seconds."""
    token = (running.state_dir.secrets / "metrics_token").read_text()
    answer = httpx.get(
        f"http://127.0.0.1:{running.port('tallow')}/metrics", headers={"authorization": f"Bearer {token}"}
    )
    lines = (line.split() for line in answer.text.splitlines() if line.startswith("tallow_process_"))
    return {name.removeprefix("tallow_process_"): float(value) for name, value in lines}


def test_restartloop_sees_a_restart_after_a_failure_and_not_one_on_request(running: Stack) -> None:
    before = start_metrics(running)
    assert reload(running, "LOG_LEVEL=error\n").exit_code == 0
    requested = start_metrics(running)
    for name in ("start_time_seconds", "requested_start_time_seconds"):
        assert requested[name] > before[name]
    process = running.process("tallow")
    process.kill()
    wait_until(lambda: running.process("tallow").pid != process.pid, "tallow is restarted")
    wait_until(running.healthy, "healthy")
    failed = start_metrics(running)
    assert failed["start_time_seconds"] > requested["start_time_seconds"]
    assert failed["requested_start_time_seconds"] == requested["requested_start_time_seconds"]


def test_prometheus_and_alertmanager_read_their_files_again_without_a_restart(running: Stack) -> None:
    before = pids(running)
    done = reload(
        running,
        "REMOTE_WRITE_URL=http://127.0.0.1:9/push\nREMOTE_USER=me\nREMOTE_PASSWORD=hunter2\n"
        "REMOTE_MACHINE=web-1\nSLACK_WEBHOOK_URL=https://hooks.slack.example/x\n",
    )
    assert done.exit_code == 0, done.output
    assert {"prometheus: uses the new configuration", "alertmanager: uses the new configuration"} <= set(
        done.stdout.splitlines()
    )
    assert restarted(running, before) == {"heartbeat"}
    config = running.get("prometheus", "/api/v1/status/config").json()["data"]["yaml"]
    assert "url: http://127.0.0.1:9/push" in config
    assert "machine: web-1" in config
    assert "hunter2" not in config + done.output
    assert (running.state_dir.secrets / "remote_password").read_text() == "hunter2"
    assert reload(running, "").exit_code == 0
    assert not (running.state_dir.secrets / "remote_password").exists()
    assert "remote_write" not in running.get("prometheus", "/api/v1/status/config").json()["data"]["yaml"]


class Storage(BaseHTTPRequestHandler):
    """A remote storage that accepts everything and records the requests."""

    received: ClassVar[list[tuple[str, str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, self.headers["Authorization"], body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_samples_arrive_in_remote_storage_with_user_password_and_machine(running: Stack) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Storage) as server:
        threading.Thread(target=server.serve_forever).start()
        try:
            (env(running).parent / "password").write_text("hunter2\n")
            done = reload(
                running,
                f"REMOTE_WRITE_URL=http://127.0.0.1:{server.server_port}/api/v1/push\n"
                "REMOTE_USER=me\nREMOTE_PASSWORD_FILE=password\nREMOTE_MACHINE=web-1\n",
            )
            assert done.exit_code == 0, done.output
            wait_until(lambda: Storage.received, "samples arrive")
            assert reload(running, "").exit_code == 0
        finally:
            server.shutdown()
    path, access, body = Storage.received[0]
    assert (path, access) == ("/api/v1/push", f"Basic {base64.b64encode(b'me:hunter2').decode()}")
    assert b"web-1" in body  # Snappy stores the first literal uncompressed


def test_a_lost_reload_signal_is_sent_again(running: Stack) -> None:
    """The files are newer than the service's state, as after a reload that was killed in between."""
    before = reload_state("alertmanager", running.state_dir)
    os.utime(running.state_dir.config / "alertmanager" / "alertmanager.yml")
    done = reload(running, "")
    assert done.stdout.splitlines()[0] == "alertmanager: uses the new configuration"
    after = reload_state("alertmanager", running.state_dir)
    assert before
    assert after
    assert after.at > before.at


def test_a_service_that_fails_to_start_reverts_the_whole_change(running: Stack) -> None:
    assert reload(running, "LOG_LEVEL=error\n").exit_code == 0
    before = file_contents(running.state_dir)
    done = reload(
        running,
        "LOG_LEVEL=debug\nDATABASE_URL=postgresql://alice:hunter2@127.0.0.1:9/tallow\n"
        "SLACK_WEBHOOK_URL=https://hooks.slack.example/x\n",
    )
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: tallow does not start: ")
    assert done.stderr.endswith("; the change was undone\n")
    assert done.stderr.count("\n") == 1
    assert "hunter2" not in done.output
    assert file_contents(running.state_dir) == before
    assert running.healthy()
    assert "slack_configs" not in running.get("alertmanager", "/api/v2/status").text


def test_a_configuration_that_prometheus_refuses_is_reverted(
    running: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, processes = file_contents(running.state_dir), pids(running)
    render = configuration.render

    def broken(home: StateDir, choices: StackOptions, settings: StackSettings) -> dict[Path, str]:
        rendered = render(home, choices, settings)
        file = home.config / "prometheus" / "prometheus.yml"
        return {**rendered, file: rendered[file] + "nonsense: 1\n"}

    monkeypatch.setattr(configuration, "render", broken)  # no accepted setting renders an invalid file
    monkeypatch.setattr(candidate, "check_configuration", lambda *_: ())  # promtool would detect it
    done = reload(running, "SLACK_WEBHOOK_URL=https://hooks.slack.example/x\n")
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: prometheus refuses the configuration: ")
    assert "nonsense" in done.stderr
    assert done.stderr.endswith("; the change was undone\n")
    assert file_contents(running.state_dir) == before
    assert pids(running) == processes
    state = reload_state("prometheus", running.state_dir)
    assert state
    assert state.successful


def test_a_full_disk_changes_nothing(running: Stack) -> None:
    """Files above 4 KiB cannot be written, as on a full disk."""
    before, processes = file_contents(running.state_dir), pids(running)
    env(running).write_text("SLACK_WEBHOOK_URL=https://hooks.slack.example/x\nLOG_LEVEL=error\n")
    done = subprocess.run(
        [sys.executable, "-m", "tallow", "reload", "--home", str(running.state_dir.root)],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.returncode == 1
    assert done.stderr.endswith("File too large\n")
    assert done.stderr.count("\n") == 1
    assert file_contents(running.state_dir) == before
    assert pids(running) == processes


def test_the_environment_of_reload_is_added_and_kept(running: Stack) -> None:
    assert reload(running, "LOG_LEVEL=error\n").exit_code == 0
    done = reload(running, LOG_LEVEL="debug")
    assert "changed: LOG_LEVEL\n" in done.stdout
    assert "line 1: LOG_LEVEL has no effect, since the environment sets it" in done.stderr
    processes = pids(running)
    assert reload(running).stdout.startswith("nothing has changed")
    assert pids(running) == processes
    assert "tallow: restarted\n" in reload(running, LOG_LEVEL="").stdout
    assert reload(running, LOG_LEVEL="verbose").stderr.startswith("Error: LOG_LEVEL is 'verbose'; accepted: ")


def test_settings_without_effect_are_reported(running: Stack) -> None:
    (env(running).parent / "password").write_text("hunter2")
    done = reload(
        running,
        "ENVIRONMENT=one\nENVIRONMENT=two\nLOG_FORMAT=console\nSMTP_USER=me\nSMTP_PASSWORD=x\n"
        "SMTP_PASSWORD_FILE=password\nHTTPS_PROXY=http://proxy:3128\n",
        LOGLEVEL="debug",
    )
    assert done.exit_code == 0, done.output
    for note in (
        f"{env(running)}: ENVIRONMENT is set more than once; line 2 counts",
        "LOG_FORMAT has no effect: the stack sets it",
        f"{env(running)}, line 7: HTTPS_PROXY has no effect in a file, only in the environment",
        "SMTP_PASSWORD_FILE has no effect, since SMTP_PASSWORD is set",
        "LOGLEVEL in the environment is no setting; did you mean LOG_LEVEL?",
    ):
        assert f"note: {note}\n" in done.stderr


def test_status_shows_the_receivers_of_the_running_stack(running: Stack) -> None:
    variables = {"SMTP_HOST": "mail.example.org", "ALERT_EMAIL_DEFAULT": "operations@example.org"}
    assert reload(running, "", **variables).exit_code == 0
    env(running).write_text("SLACK_WEBHOOK_URL=https://hooks.slack.example/x\n")
    shown = tallow(running, "status").output
    assert "SMTP_HOST is not set" not in shown
    assert "SLACK_WEBHOOK_URL is not set" in shown


def test_a_changed_file_has_no_effect_before_the_reload(running: Stack) -> None:
    """Not even when a service is restarted after a failure."""
    env(running).write_text("LOG_LEVEL=verbose\n")
    before = running.process("tallow")
    before.kill()
    wait_until(lambda: running.process("tallow").pid != before.pid, "tallow is restarted")
    assert wait_until(running.healthy, "healthy")


def test_a_token_of_the_operator_is_used_by_both_sides(running: Stack) -> None:
    (env(running).parent / "token").write_text(f"{TOKEN}\n")
    done = reload(running, "METRICS_TOKEN_FILE=token\n")
    assert done.exit_code == 0, done.output
    assert TOKEN not in done.output
    wait_until(
        lambda: running.value('up{job="tallow"} and on () time() - timestamp(up{job="tallow"}) < 5') == 1,
        "Prometheus scrapes with the operator's token",
    )
    rotated = tallow(running, "credentials", "rotate")
    assert "METRICS_TOKEN is set; the metrics token is not rotated" in rotated.output
    assert (running.state_dir.secrets / "metrics_token").read_text() == TOKEN
    wait_until(running.healthy, "healthy")


def test_two_concurrent_reloads_run_one_after_the_other(running: Stack) -> None:
    env(running).write_text("LOG_LEVEL=error\n")
    command = [sys.executable, "-m", "tallow", "reload", "--home", str(running.state_dir.root)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    outputs = sorted(process.communicate()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert outputs[0].startswith("changed: LOG_LEVEL\n")
    assert outputs[1].startswith("nothing has changed")


def test_a_stopped_service_stays_stopped_and_is_reported(running: Stack) -> None:
    assert tallow(running, "down", "heartbeat").exit_code == 0
    done = reload(running, "HEARTBEAT_URL=http://127.0.0.1:9/y\n")
    assert done.exit_code == 0, done.output
    assert "heartbeat: stopped; it uses the change when it is started\n" in done.stdout
    assert running.running("heartbeat").pid is None
    running.start()


def test_reload_waits_for_a_service_that_is_starting(running: Stack) -> None:
    running.process("prometheus").kill()
    done = reload(running, "REMOTE_WRITE_URL=http://127.0.0.1:9/push\n")
    assert done.exit_code == 0, done.output
    assert "remote_write" in running.get("prometheus", "/api/v1/status/config").json()["data"]["yaml"]
