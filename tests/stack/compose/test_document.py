"""The Compose file: versions, hardening, networks, limits and secrets of every service."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tallow.stack import thresholds
from tallow.stack.compose import compose_document
from tallow.stack.compose.document import SECRET_FILES, SERVICES
from tallow.stack.deployment import COMPOSE

DOCUMENT: dict[str, Any] = yaml.safe_load(compose_document())
NAMES = sorted(DOCUMENT["services"])
ROOT = {"cadvisor"}
"""Services that run as root. The reason stands in the definition."""
CAPABILITIES = {"turn": ["NET_BIND_SERVICE"]}
UNCHECKED = {"collector"}
"""Services without a program that could check them."""
UNITS = {"m": 1 << 20, "g": 1 << 30}


def service(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["services"][name]
    return found


def mounts(name: str) -> list[str]:
    """The sources of a service's mounts."""
    found = service(name).get("volumes", [])
    return [one["source"] if isinstance(one, dict) else one.split(":")[0] for one in found]


@pytest.mark.parametrize("name", NAMES)
def test_every_service_is_hardened(name: str) -> None:
    found = service(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found.get("cap_add", []) == CAPABILITIES.get(name, [])
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["restart"] == "unless-stopped"
    assert "privileged" not in found
    uid = int(found["user"].partition(":")[0])
    assert (uid == 0) == (name in ROOT)


@pytest.mark.parametrize("name", NAMES)
def test_every_image_has_an_exact_version(name: str) -> None:
    image = re.sub(r"\$\{\w+:-(.*)\}", r"\1", service(name)["image"])
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+(-r\d+)?", image), image


@pytest.mark.parametrize("name", NAMES)
def test_every_service_has_limits_and_rotated_logs(name: str) -> None:
    limits = service(name)["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert set(service(name)["logging"]["options"]) == {"max-size", "max-file"}


def test_tallow_is_killed_after_the_alert_on_its_memory() -> None:
    text = service("tallow")["deploy"]["resources"]["limits"]["memory"]
    assert int(text[:-1]) * UNITS[text[-1]] > 1.2 * thresholds.RESIDENT_MEMORY_BYTES


@pytest.mark.parametrize("name", NAMES)
def test_every_service_has_a_health_check(name: str) -> None:
    assert ("healthcheck" in service(name)) == (name not in UNCHECKED)


@pytest.mark.parametrize("name", NAMES)
def test_no_service_gets_the_socket_of_the_engine(name: str) -> None:
    assert not [one for one in mounts(name) if "docker.sock" in one or one in ("/run", "/var/run", "/var")]


@pytest.mark.parametrize("name", NAMES)
def test_ports_are_published_on_loopback_unless_told_otherwise(name: str) -> None:
    ports = service(name).get("ports", [])
    outside = [port for port in ports if not port.startswith("${TALLOW_BIND:-127.0.0.1}:")]
    assert (outside == []) or name == "turn"  # peers elsewhere must reach the relay


def test_tallow_and_the_monitoring_share_no_network_except_with_prometheus() -> None:
    tallow = set(service("tallow")["networks"])
    beside = {name for name in NAMES if name != "tallow" and tallow & set(service(name)["networks"])}
    assert beside == {"prometheus", "turn"}
    assert DOCUMENT["networks"]["scrape"]["internal"] is True


def test_each_secret_is_mounted_and_none_is_in_the_file() -> None:
    mounted = {one["source"] for name in NAMES for one in service(name).get("secrets", [])}
    assert mounted == set(DOCUMENT["secrets"]) == set(SECRET_FILES)
    environments = [value for name in NAMES for value in service(name).get("environment", {}).values()]
    assert not [
        value for value in environments if "password" in value and not value.startswith("/run/secrets/")
    ]


def test_the_hosts_of_the_deployment_are_services() -> None:
    hosts = {address.partition(":")[0] for address in COMPOSE.hosts.values()}
    assert hosts <= set(SERVICES)


def test_every_volume_is_declared() -> None:
    used = {one for name in NAMES for one in mounts(name) if re.fullmatch(r"[a-z-]+", one)}
    assert used == set(DOCUMENT["volumes"])
