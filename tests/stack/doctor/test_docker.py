"""The checks of a stack of containers: each damage is named with its remedy.

What ``docker inspect`` prints is made from the Compose file; tests/integration/docker runs the checks on real
containers.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from support.installation import edit_yaml, fresh_installation
from tallow.monitoring.lifecycle.private_files import write_private
from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack.compose.document import SERVICES
from tallow.stack.doctor.docker.checks import CHECKS, SHARED
from tallow.stack.doctor.docker.containers import CHECKS as OWN
from tallow.stack.doctor.docker.installation import SERVICE_LABEL, DockerInstallation
from tallow.stack.doctor.model import CheckResult, Problem, diagnose
from tallow.stack.engines.docker import configuration, layout
from tallow.stack.engines.reload.snapshot import read_values
from tallow.stack.engines.services.definitions import SETTINGS_FILE
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

DEFAULT = [name for name, definition in SERVICES.items() if not definition().get("profiles")]


def container(service: str) -> dict[str, Any]:
    """What ``docker inspect`` prints of a container that was started from the Compose file."""
    wanted = SERVICES[service]()
    image = "tallow:0.1.0" if "TALLOW_IMAGE" in wanted["image"] else wanted["image"]
    return {
        "Config": {"Labels": {SERVICE_LABEL: service}, "Image": image, "User": wanted["user"]},
        "State": {"Status": "running"},
        "Mounts": [],
        "HostConfig": {
            "ReadonlyRootfs": wanted["read_only"],
            "Privileged": False,
            "CapDrop": ["ALL"],
            "CapAdd": [f"CAP_{name}" for name in wanted.get("cap_add", ())],
            "SecurityOpt": wanted["security_opt"],
            "Memory": 1 << 28,
            "PidsLimit": 256,
            "NetworkMode": "tallow_app",
            "RestartPolicy": {"Name": wanted["restart"]},
            "PortBindings": {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3000"}]},
        },
    }


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> StateDir:
    """The files of a stack of containers, as `tallow up --engine docker` writes them."""
    folder = tmp_path_factory.mktemp("docker")
    made = fresh_installation(folder)
    shutil.rmtree(made.config)
    options = StackOptions(env_folder=str(folder), engine="docker")
    made.write_options(options)
    settings = StackSettings.load(VariableSource({}, read_env_file(folder / ".env", {})))
    files = configuration.render(made, options, settings, read_values(made.secrets / SETTINGS_FILE))
    for path, text in files.configuration.items():
        write_private(path, text)
    for path, text in files.secrets.items():
        write_private(path, text)
        path.chmod(0o444)
    return made


def result_of(check: str, home: StateDir, *found: dict[str, Any]) -> CheckResult:
    installation = DockerInstallation(home, inspected=found or [container(name) for name in DEFAULT])
    [result] = diagnose("docker", [one for one in CHECKS if one.id == check], installation).results
    return result


def problems_of(check: str, home: StateDir, *found: dict[str, Any]) -> list[Problem]:
    result = result_of(check, home, *found)
    assert not result.skipped, result.skipped
    return list(result.problems)


@dataclass(frozen=True)
class Case:
    """A change of Tallow's container, the check that finds it, and a part of its message."""

    check: str
    change: Callable[[dict[str, Any]], object]
    message: str


def host(**changed: Any) -> Callable[[dict[str, Any]], object]:
    return lambda found: found["HostConfig"].update(changed)


CASES = {
    "writable": Case("container-hardening", host(ReadonlyRootfs=False), "can write to its root file system"),
    "privileged": Case("container-hardening", host(Privileged=True), "tallow is privileged"),
    "capabilities": Case("container-hardening", host(CapDrop=None), "keeps capabilities"),
    "added capability": Case(
        "container-hardening", host(CapAdd=["CAP_SYS_ADMIN"]), "has further capabilities"
    ),
    "new privileges": Case("container-hardening", host(SecurityOpt=[]), "may gain privileges"),
    "no memory limit": Case("container-hardening", host(Memory=0), "has no memory limit"),
    "no process limit": Case("container-hardening", host(PidsLimit=None), "has no limit of processes"),
    "host network": Case("container-hardening", host(NetworkMode="host"), "shares the host's network"),
    "no restart": Case("container-hardening", host(RestartPolicy={"Name": "no"}), "is not restarted"),
    "root": Case("container-hardening", lambda found: found["Config"].update(User=""), "runs as root"),
    "socket of the engine": Case(
        "container-hardening",
        lambda found: found["Mounts"].append({"Source": "/var/run/docker.sock"}),
        "can control the Docker engine",
    ),
    "latest image": Case(
        "container-images", lambda found: found["Config"].update(Image="tallow:latest"), "runs tallow:latest"
    ),
    "old image": Case(
        "container-images",
        lambda found: found["Config"].update(Image="tallow:0.0.1"),
        "tallow:0.1.0",
    ),
    "port open to the network": Case(
        "published-ports",
        host(PortBindings={"3000/tcp": [{"HostIp": "", "HostPort": "9"}]}),
        "tallow is published on every address:9",
    ),
    "port open over IPv6": Case(
        "published-ports", host(PortBindings={"3000/tcp": [{"HostIp": "::", "HostPort": "9"}]}), "on :::9"
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_container_that_differs_is_named(case: Case, home: StateDir) -> None:
    found = container("tallow")
    assert problems_of(case.check, home, found) == []
    case.change(found)
    [problem] = problems_of(case.check, home, found)
    assert case.message in problem.message
    assert problem.remedy


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_of_the_compose_file_passes(service: str, home: StateDir) -> None:
    for check in ("container-hardening", "container-images"):
        assert problems_of(check, home, container(service)) == []


def test_a_secret_that_a_container_cannot_read_is_named(home: StateDir) -> None:
    path = layout.container_secrets(home) / "metrics_token"
    assert problems_of("container-secrets", home) == []
    path.chmod(0o600)
    try:
        [problem] = problems_of("container-secrets", home)
    finally:
        path.chmod(0o444)
    assert problem.message == f"{path}: the container's user cannot read it"
    assert problem.remedy == f"chmod 444 {path}"


def test_a_folder_of_secrets_that_others_can_read_is_named(home: StateDir) -> None:
    folder = layout.container_secrets(home)
    folder.chmod(0o755)
    try:
        [problem] = problems_of("container-secrets", home)
    finally:
        folder.chmod(0o700)
    assert problem.remedy == f"chmod 700 {folder}"


def test_a_mounted_secret_that_is_missing_is_named(home: StateDir) -> None:
    found = container("tallow")
    found["Mounts"].append({"Source": str(layout.container_secrets(home) / "nothing")})
    [problem] = problems_of("container-secrets", home, found)
    assert "tallow mounts" in problem.message


def test_files_of_a_fresh_stack_have_no_problem(home: StateDir) -> None:
    for check in ("configuration", "routes", "watchdog-route", "receiver-secrets", "secrets", "state-folder"):
        assert problems_of(check, home) == [], check


def test_a_missing_route_and_a_missing_receiver_secret_are_named(home: StateDir) -> None:
    file = home.config / "alerting" / "alertmanager.yml"
    secret = layout.container_secrets(home) / "alertmanager" / "pagerduty_routing_key"
    text, key = file.read_text(), secret.read_text()
    edit_yaml(file, lambda config: config["route"]["routes"].pop(0))
    secret.unlink()
    try:
        [route] = problems_of("watchdog-route", home)
        [stale] = problems_of("configuration", home)
        missing = problems_of("receiver-secrets", home)
    finally:
        file.write_text(text)
        write_private(secret, key)
        secret.chmod(0o444)
    assert "Watchdog is not routed" in route.message
    assert "alerting/alertmanager.yml is not what this version" in stale.message
    assert any("routing_key_file" in problem.message for problem in missing)


@pytest.mark.parametrize(
    ("variables", "messages"),
    [
        ({"TURN_SECRET": "0123456789abcdef", "ICE_SERVERS": "turn:192.0.2.7:3478"}, []),
        (
            {"ICE_SERVERS": "stun:192.0.2.7:3478"},
            ["coturn serves nobody: TURN_SECRET is not set", "no peer is told of coturn: ICE_SERVERS"],
        ),
        (
            {"TURN_SECRET": "0123456789abcdef", "ICE_SERVERS": "turn:[2001:db8::7]"},
            ["ICE_SERVERS has the TURN server [2001:db8::7], an IPv6 address"],
        ),
    ],
)
def test_a_turn_server_that_peers_cannot_use_is_named(
    home: StateDir, variables: dict[str, str], messages: list[str]
) -> None:
    settings, options = home.secrets / SETTINGS_FILE, home.options()
    text = settings.read_text()
    assert result_of("turn", home).skipped == "the profile turn is not chosen"
    home.write_options(replace(options, profiles=("turn",)))
    write_private(settings, configuration.environment_text({**read_values(settings), **variables}))
    try:
        problems = problems_of("turn", home)
    finally:
        write_private(settings, text)
        home.write_options(options)
    assert len(problems) == len(messages)
    for problem, message in zip(problems, messages, strict=True):
        assert problem.message.startswith(message)
        assert re.fullmatch(r"set \S+ in \.env, then: \S+ reload .*", problem.remedy)


def test_without_an_engine_one_check_says_so_and_the_others_are_skipped(
    home: StateDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    results = {one.id: one for one in diagnose("docker", CHECKS, DockerInstallation(home)).results}
    [problem] = results["docker-engine"].problems
    assert "the Docker client (docker) is not on the PATH" in problem.message
    assert "start Docker" in problem.remedy
    for name in ("services", "container-hardening", "targets", "disk"):
        assert results[name].skipped == "the Docker engine does not answer; see: docker-engine"
    assert results["routes"].outcome == "ok"


def test_a_stack_of_containers_has_its_own_checks_and_most_of_the_others() -> None:
    own, shared = {check.id for check in OWN}, {check.id for check in SHARED}
    assert not own & shared
    assert {"services", "routes", "receivers", "certificate", "settings", "disk"} <= shared
