"""The short form of the Compose proof: the shipped file, started by `tallow up` in a private Docker engine.

Prometheus, Alertmanager and node-exporter are Debian's programs under the official names; Grafana and
cAdvisor are stubs; Tallow's image has the code and the requirements that are here, without a build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from support.docker import stand_ins
from support.docker.compose_stack import ComposeStack
from support.docker.engine import docker_engine
from support.docker.hardening import assert_hardened
from support.stack import expect_value
from tallow.stack.engines.state.state_dir import StateDir

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300), pytest.mark.xdist_group("docker")]

SERVICES: Final = (
    "tallow",
    "prometheus",
    "alertmanager",
    "grafana",
    "node-exporter",
    "cadvisor",
    "heartbeat",
)
"""Those that start by default with a mail server of the operator's own."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeStack]:
    """A stack that `tallow up` has just started, with a mail server that nothing is sent to."""
    folder = tmp_path_factory.mktemp("docker")
    work = folder / "work"
    work.mkdir()
    (work / ".env").write_text("SMTP_HOST=mail.example.org\nALERT_EMAIL_DEFAULT=ops@example.org\n")
    with docker_engine(folder / "engine") as engine:
        for load in (
            stand_ins.load_tallow,
            stand_ins.load_prometheus,
            stand_ins.load_alertmanager,
            stand_ins.load_node_exporter,
            stand_ins.load_grafana,
            stand_ins.load_cadvisor_stub,
        ):
            load(engine)
        started = ComposeStack(engine, StateDir(folder / "home"), work, {"COLUMNS": "200"})
        try:
            started.tallow("up", "--engine", "docker")
            yield started
        finally:
            started.run("down", "--purge")


def test_status_shows_every_service_healthy(stack: ComposeStack) -> None:
    def healthy() -> set[str]:
        services = json.loads(stack.run("status", "--json").stdout)["services"]
        return {name for name, found in services.items() if found["healthy"]}

    expect_value(healthy, set(SERVICES))


def test_status_shows_the_memory_of_the_containers(stack: ComposeStack) -> None:
    lines = stack.tallow("status").splitlines()
    assert len([line for line in lines if re.search(r"healthy .*\d [MG]B\b", line)]) == len(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_each_running_container_is_hardened(stack: ComposeStack, service: str) -> None:
    assert_hardened(stack, service)


def test_prometheus_scrapes_every_job(stack: ComposeStack) -> None:
    expect_value(
        lambda: {series["metric"]["job"] for series in stack.query("up == 1")}, set(SERVICES) - {"heartbeat"}
    )


def test_a_changed_setting_reaches_the_container_of_a_killed_server(stack: ComposeStack) -> None:
    with (stack.work / ".env").open("a") as file:
        file.write("LOG_LEVEL=debug\n")
    stack.engine.docker("kill", stack.container_id("tallow"))
    found = json.loads(stack.run("status", "--json").stdout)["services"]["tallow"]
    assert (found["state"], "SIGKILL (status 137)" in found["why"]) == ("ended", True)
    assert "tallow: restarted" in stack.tallow("reload")
    mounted = stack.engine.docker("exec", stack.container_id("tallow"), "cat", "/run/secrets/settings.env")
    assert "LOG_LEVEL=" in mounted


def test_no_secret_is_in_the_configuration_of_a_container(stack: ComposeStack) -> None:
    secrets = [(stack.home.secrets / name).read_text() for name in ("monitoring_password", "metrics_token")]
    for service in SERVICES:
        described = json.dumps(stack.container(service))
        assert not [secret for secret in secrets if secret in described], service


def test_only_the_owner_of_the_folder_can_reach_the_secrets_on_the_host(stack: ComposeStack) -> None:
    folder: Path = stack.home.secrets / "docker"
    assert stack.home.root.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.rglob("*") if file.is_file()} == {0o444}


def test_doctor_finds_nothing_but_what_the_operator_must_set(stack: ComposeStack) -> None:
    checks: dict[str, dict[str, Any]] = {}

    def errors() -> dict[str, Any]:
        """The errors; Prometheus scrapes the server that another test has killed only every 15 s."""
        checks.update((one["id"], one) for one in json.loads(stack.run("doctor", "--json").stdout)["checks"])
        found = {name: one["problems"] for name, one in checks.items() if one["outcome"] == "error"}
        found.pop("disk", None)  # the space of this machine's disk is no matter of the stack
        return found

    expect_value(errors, {})
    warned = {name for name, one in checks.items() if one["outcome"] == "warning"}
    assert {"receivers", "heartbeat-target"} <= warned
    assert {name for name, one in checks.items() if one["outcome"] == "ok"} >= {
        *("docker-engine", "container-hardening", "container-images", "published-ports", "container-secrets"),
        *("services", "targets", "alertmanager", "configuration", "rules-loaded", "routes", "watchdog-route"),
    }
