"""The Compose proof: Tallow's image built from its Dockerfile, and the shipped file started by hand.

`scripts/proof -k compose`. What stands in for which image is in tests/support/docker/stand_ins.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from support.docker import stand_ins
from support.docker.compose_stack import ComposeStack
from support.docker.engine import ROOT, DockerEngine
from support.docker.hardening import assert_hardened
from support.stack import wait_until
from tallow.stack.compose import images
from tallow.stack.engines.docker.project import project_name
from tallow.stack.engines.state.state_dir import StateDir

pytestmark = [pytest.mark.proof, pytest.mark.integration, pytest.mark.timeout(3600)]

SERVICES: Final = (
    *("tallow", "prometheus", "alertmanager", "grafana", "node-exporter", "cadvisor", "heartbeat", "mailbox"),
    *("loki", "collector"),
)
BEFORE: Final = "47aba62b"
"""The commit before the Compose file."""
NOTIFIED_S: Final = 240.0
SIZE: Final = 300_000
_LINK: Final = re.compile(r"http://tallow:3000/\S+")


@pytest.fixture(scope="module")
def stack(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """The shipped file, started by hand, with times of rules and routes a tenth of the real ones."""
    folder = tmp_path_factory.mktemp("stack")
    prepared = ComposeStack(engine, StateDir(folder / "home"), folder)
    prepared.tallow("up", "--engine", "docker", "--no-start", "--profile", "logs", "--scale", "0.1")
    try:
        with engine.network():
            prepared.compose("up", "--detach", "--wait", "--no-build")
        yield prepared
    finally:
        prepared.run("down", "--purge")


def states(stack: ComposeStack) -> dict[str, str]:
    services = json.loads(stack.run("status", "--json").stdout)["services"]
    return {name: found["state"] for name, found in services.items()}


def transfer(stack: ComposeStack, folder: Path) -> None:
    """Send a file from one container to another, over the server in a third."""
    source, target = folder / "source", folder / "target"
    source.mkdir()
    target.mkdir()
    target.chmod(0o777)
    content = os.urandom(SIZE)
    (source / "report.bin").write_bytes(content)
    options = [
        "--network",
        f"{project_name(stack.home)}_app",
        "--read-only",
        "--tmpfs",
        "/tmp",
        "--cap-drop",
        "ALL",
    ]
    sender = stack.engine.docker(
        *("run", "--detach", *options, "--volume", f"{source}:/source:ro", images.TALLOW, "send"),
        *("/source/report.bin", "--server", "http://tallow:3000", "--insecure", "--no-qr"),
    ).strip()
    try:
        link = wait_until(lambda: _LINK.search(stack.engine.docker("logs", sender, check=False)), "a link")
        stack.engine.docker(
            *("run", "--rm", *options, "--volume", f"{target}:/target", images.TALLOW, "receive"),
            *(link[0], "--output", "/target", "--yes"),
        )
        assert stack.engine.docker("wait", sender).strip() == "0"
    finally:
        stack.engine.docker("rm", "--force", sender)
    assert (target / "report.bin").read_bytes() == content


def test_every_service_is_healthy(stack: ComposeStack) -> None:
    assert wait_until(lambda: states(stack) == dict.fromkeys(SERVICES, "healthy"), "every service healthy")
    with stack.engine.network():
        assert stack.get(13133, "/").json()["status"] == "Server available"


@pytest.mark.parametrize("service", SERVICES)
def test_each_running_container_is_hardened(stack: ComposeStack, service: str) -> None:
    assert_hardened(stack, service)


@pytest.mark.parametrize("service", ["tallow", "heartbeat", "prometheus", "mailbox"])
def test_no_file_of_the_image_can_be_changed(stack: ComposeStack, service: str) -> None:
    command = ("exec", stack.container_id(service), "sh", "-c", ": > /etc/changed")
    assert "Read-only file system" in stack.engine.docker(*command, check=False)


def test_the_monitoring_cannot_be_reached_from_tallow(stack: ComposeStack) -> None:
    program = "import socket; socket.create_connection(('alertmanager', 9093), 3)"
    command = ("exec", stack.container_id("tallow"), "python", "-c", program)
    assert "gaierror" in stack.engine.docker(*command, check=False)


def test_a_transfer_crosses_between_containers_and_is_counted(stack: ComposeStack, tmp_path: Path) -> None:
    transfer(stack, tmp_path)
    counted = (
        'sum(tallow_transfers_total{status="success"}) > 0 or sum(transfers_total{status="success"}) > 0'
    )
    assert wait_until(lambda: stack.query(counted), "the transfer in Prometheus")


def test_log_lines_are_found_by_correlation_id_in_loki(stack: ComposeStack, tmp_path: Path) -> None:
    transfer(stack, tmp_path)
    lines = stack.tallow("logs", "tallow", "--json", "-n", "2000").splitlines()
    logged = [json.loads(line) for line in lines if line.startswith("{")]
    identified = [line["correlation_id"] for line in logged if line.get("correlation_id")]
    assert identified
    query = f'{{service_name="tallow"}} | correlation_id="{identified[-1]}"'

    def found() -> list[str]:
        streams = stack.get(3100, "/loki/api/v1/query_range", query=query).json()["data"]["result"]
        return [line for stream in streams for _, line in stream["values"]]

    assert json.loads(wait_until(found, "the line in Loki")[0])["correlation_id"] == identified[-1]


def test_a_changed_setting_and_new_credentials_reach_the_containers(stack: ComposeStack) -> None:
    (stack.work / ".env").write_text("LOG_LEVEL=debug\n")
    assert "tallow: restarted" in stack.tallow("reload")
    stack.tallow("credentials", "rotate")
    assert wait_until(lambda: stack.query('up{job="tallow"} == 1'), "Tallow scraped with the new token")


def messages(stack: ComposeStack) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stack.get(8025, "/api/v1/messages", limit="200").json()["messages"]
    return found


def test_a_killed_server_is_reported_by_mail_with_working_links(stack: ComposeStack) -> None:
    # An alert of the start that is still open would take the new failure in, without a second mail.
    wait_until(lambda: is_resolved(stack), "the alerts of the start resolved", NOTIFIED_S)
    known = {one["ID"] for one in messages(stack)}
    stack.engine.docker("kill", stack.container_id("tallow"))

    def reported() -> dict[str, Any] | None:
        return next(
            (one for one in messages(stack) if one["ID"] not in known and is_about(one["Subject"])), None
        )

    def is_about(subject: str) -> bool:
        return subject.startswith("[CRITICAL]") and "tallow:3000 does not answer" in subject

    try:
        message = wait_until(reported, "the mail", NOTIFIED_S)
        text = stack.get(8025, f"/api/v1/message/{message['ID']}").json()["Text"]
    finally:
        stack.tallow("up")
    links = re.findall(r"http://localhost:\d+[^\s<>\"]*", text)
    runbooks = [link for link in links if ":9095/" in link]
    dashboards = [link for link in links if ":3001/" in link]
    assert runbooks
    assert dashboards
    assert stack.get(9095, runbooks[0].partition(":9095")[2]).status_code == 200
    assert_dashboard_exists(stack, dashboards[0])


def is_resolved(stack: ComposeStack) -> bool:
    """Whether each mail about a server that does not answer was followed by one that it does."""
    subjects = [one["Subject"] for one in messages(stack) if "tallow:3000 does not answer" in one["Subject"]]
    fired = [subject for subject in subjects if subject.startswith("[CRITICAL]")]
    firing = stack.query('ALERTS{alertname="ServiceDown"}')
    return not firing and len(subjects) == 2 * len(fired)


def assert_dashboard_exists(stack: ComposeStack, link: str) -> None:
    """Check that Grafana's folder has the dashboard and the panel of a link."""
    uid = re.search(r"/d/([\w-]+)", link)
    assert uid
    file = f"/etc/grafana/dashboards/{uid[1]}.json"
    dashboard = json.loads(stack.engine.docker("exec", stack.container_id("grafana"), "cat", file))
    assert dashboard["uid"] == uid[1]
    if panel := re.search(r"viewPanel=(\d+)", link):
        assert int(panel[1]) in {one["id"] for one in dashboard["panels"]}


def test_down_and_up_keep_the_data(stack: ComposeStack) -> None:
    at, mails = time.time(), len(messages(stack))
    stack.tallow("down")
    assert stack.run("status").returncode == 3
    stack.tallow("up")
    with stack.engine.network():
        before = stack.get(9090, "/api/v1/query", query="up", time=str(at)).json()["data"]["result"]
    assert before
    assert len(messages(stack)) >= mails > 0


def test_an_upgrade_keeps_the_data(stack: ComposeStack, tmp_path: Path) -> None:
    archive = subprocess.run(
        ["git", "archive", BEFORE, "src", "docs/runbooks"], cwd=ROOT, capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip(f"the commit {BEFORE} is not in this checkout")
    subprocess.run(["tar", "-x", "-C", str(tmp_path)], input=archive.stdout, check=True)
    stand_ins.load_tallow(stack.engine, "tallow:before", tmp_path)
    old = {**stack.environment, "TALLOW_IMAGE": "tallow:before"}
    with_old = ComposeStack(stack.engine, stack.home, stack.work, old)
    with_old.compose("up", "--detach", "--wait", "--no-build", "--no-deps", "tallow")
    assert stack.container("tallow")["Config"]["Image"] == "tallow:before"
    (tmp_path / "transfer").mkdir()
    transfer(stack, tmp_path / "transfer")
    rows = rows_of_database(stack)
    stack.tallow("up")
    assert stack.container("tallow")["Config"]["Image"] == images.TALLOW
    assert rows_of_database(stack) >= rows > 0


def rows_of_database(stack: ComposeStack) -> int:
    """The number of rows in all tables of Tallow's database."""
    program = (
        "import sqlite3, glob\n"
        "db = sqlite3.connect(glob.glob('/var/lib/tallow/*.db')[0])\n"
        "names = [row[0] for row in db.execute(\"select name from sqlite_master where type='table'\")]\n"
        "print(sum(db.execute(f'select count(*) from \"{name}\"').fetchone()[0] for name in names))\n"
    )
    return int(stack.engine.docker("exec", stack.container_id("tallow"), "python", "-c", program))


def test_a_wrong_secret_is_named_in_one_line(stack: ComposeStack) -> None:
    (stack.work / ".env").write_text("METRICS_TOKEN=short\n")
    done = stack.run("up")
    (stack.work / ".env").unlink()
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "METRICS_TOKEN" in done.stderr
    assert "short" not in done.stderr


def test_a_secret_that_the_container_may_not_read_is_named_in_one_line(stack: ComposeStack) -> None:
    secret = stack.home.secrets / "docker" / "settings.env"
    secret.chmod(0o600)
    try:
        stack.engine.docker("restart", stack.container_id("tallow"))
        reason = wait_until(lambda: failure_of(stack, "tallow"), "the failure of Tallow")
    finally:
        secret.chmod(0o444)
        stack.engine.docker("restart", stack.container_id("tallow"))
    assert "settings.env" in reason
    assert "ermission denied" in reason


def failure_of(stack: ComposeStack, service: str) -> str:
    """What `tallow status` says of a service that has failed; empty if it works."""
    found = json.loads(stack.run("status", "--json").stdout)["services"][service]
    return found["why"] if found["state"] == "ended" and "\n" not in found["why"] else ""


def test_a_missing_file_is_named_in_one_line(stack: ComposeStack) -> None:
    secret = stack.home.secrets / "docker" / "metrics_token"
    content = secret.read_text()
    secret.unlink()
    try:
        with pytest.raises(AssertionError) as failed:
            stack.compose("up", "--detach", "--no-build", "--force-recreate", "--no-deps", "tallow")
    finally:
        secret.write_text(content)
        secret.chmod(0o444)
    assert str(secret) in str(failed.value)
    stack.tallow("up")
    assert states(stack)["tallow"] == "healthy"


def test_a_full_volume_is_named_in_one_line(stack: ComposeStack) -> None:
    stack.tallow("down")
    volume = f"{project_name(stack.home)}_tallow-data"
    stack.engine.docker("volume", "rm", volume)
    full = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=8k,uid=10001,mode=0700"]
    stack.engine.docker("volume", "create", "--driver", "local", *full, volume)
    done = stack.run("up")
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "tallow does not start" in line]
    assert len(lines) == 1, done.stderr
    assert re.search(r"full|space", lines[0]), lines


def test_a_purge_removes_everything(stack: ComposeStack) -> None:
    stack.tallow("down", "--purge")
    label = f"label=com.docker.compose.project={project_name(stack.home)}"
    assert stack.engine.docker("ps", "--all", "--quiet", "--filter", label) == ""
    assert stack.engine.docker("volume", "ls", "--quiet", "--filter", label) == ""
    assert not stack.home.root.exists()
