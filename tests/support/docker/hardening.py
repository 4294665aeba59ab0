"""The hardening of a container, read from the engine and from the process in it."""

from __future__ import annotations

from typing import Any, Final

from support.docker.compose_stack import ComposeStack

ROOT: Final = frozenset({"cadvisor"})
CAPABILITIES: Final = {"turn": ["NET_BIND_SERVICE"]}
NET_BIND_SERVICE: Final = 1 << 10
WITHOUT_CHECK: Final = frozenset({"collector"})


def assert_hardened(stack: ComposeStack, service: str) -> None:
    """Check that a running container has what the Compose file promises."""
    container = stack.container(service)
    _assert_configuration(service, container)
    _assert_process(stack, service, int(container["State"]["Pid"]))


def _assert_configuration(service: str, container: dict[str, Any]) -> None:
    host = container["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["Privileged"] is False
    assert host["CapDrop"] == ["ALL"]
    assert [name.removeprefix("CAP_") for name in host["CapAdd"] or []] == CAPABILITIES.get(service, [])
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["Memory"] > 0
    assert host["NanoCpus"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"] == {"max-size": "10m", "max-file": "5"}
    assert not [mount for mount in container["Mounts"] if "docker.sock" in mount["Source"]]
    assert (container["Config"].get("Healthcheck") is not None) == (service not in WITHOUT_CHECK)
    published = [port for ports in (host["PortBindings"] or {}).values() for port in ports]
    assert {port["HostIp"] for port in published} <= {"127.0.0.1"} or service == "turn"


def _assert_process(stack: ComposeStack, service: str, pid: int) -> None:
    """The kernel's view. The engine's processes are visible from outside of its namespaces."""
    status = dict(
        line.split(":\t", 1)
        for line in stack.engine.process_file(pid, "status").splitlines()
        if ":\t" in line
    )
    allowed = NET_BIND_SERVICE if service in CAPABILITIES else 0
    assert int(status["CapEff"], 16) & ~allowed == 0
    assert int(status["CapBnd"], 16) & ~allowed == 0
    assert status["NoNewPrivs"] == "1"
    assert (int(status["Uid"].split()[0]) == 0) == (service in ROOT)
    assert status["Seccomp"] == "2"
    root = next(
        line for line in stack.engine.process_file(pid, "mounts").splitlines() if line.split()[1] == "/"
    )
    assert "ro" in root.split()[3].split(",")
