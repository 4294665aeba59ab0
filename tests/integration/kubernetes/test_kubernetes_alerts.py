"""No alert is lost on the way through the file that the operator writes for Alertmanager."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import yaml

from support.kubernetes.cluster import process, wait_for
from support.kubernetes.reconciled import (
    Reconciled,
    alertmanager_file,
    alerts,
    expected,
)
from support.programs.debian import program
from support.programs.go_modules import AMTOOL, go_program
from support.programs.prometheus import free_port
from tallow.stack.alerts import RULES
from tallow.stack.drill.receivers.receiver_set import ReceiverSet, running_receivers
from tallow.stack.engines.programs.programs import ensure
from tallow.stack.routing.matrix import receivers

pytestmark = [pytest.mark.proof, pytest.mark.integration]


def test_every_alert_reaches_the_receivers_of_the_contract(reconciled: Reconciled, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text(alertmanager_file(reconciled))
    amtool = go_program(AMTOOL)
    subprocess.run([amtool, "check-config", config], check=True, capture_output=True)
    if reconciled.overlay == "kube-prometheus-stack":
        [route] = [
            one
            for one in yaml.safe_load(config.read_text())["route"]["routes"]
            if one["receiver"] == "tallow/tallow/default"
        ]
        assert 'namespace="tallow"' in route["matchers"], "the operator's matcher is part of the test"
    found = alerts(reconciled)
    assert len(found) > 25
    for name, labels in found.items():
        assert expected(labels) == routed(amtool, config, labels) - {"null"}, name
        if reconciled.overlay == "kube-prometheus-stack":
            unlabelled = {label: value for label, value in labels.items() if label != "namespace"}
            assert routed(amtool, config, unlabelled) == {"null"}, "without the label it would be lost"


def routed(amtool: Path, config: Path, labels: dict[str, str]) -> set[str]:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={config}", *pairs],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.strip().split(","))


@contextlib.contextmanager
def running_alertmanager(config: str, folder: Path) -> Iterator[str]:
    (folder / "alertmanager.yml").write_text(config)
    port = free_port()
    program("prometheus-alertmanager")  # skips the test if it is not available
    installed = ensure(["alertmanager"])["alertmanager"]
    command = [
        str(installed.path),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/-/ready").is_success
        return False

    with process(folder / "alertmanager.log", command, installed.folder) as running:
        wait_for(lambda: ready() or running.poll() is not None, "Alertmanager starts")
        assert running.poll() is None, (folder / "alertmanager.log").read_text()
        yield url


async def test_every_alert_is_delivered_over_the_channels_of_its_receivers(
    reconciled: Reconciled, tmp_path: Path
) -> None:
    """The messages of the operator's file are complete: strict receivers of each kind accept them."""
    found = alerts(reconciled)
    async with running_receivers() as fake:
        config = with_addresses(alertmanager_file(reconciled), fake)
        with running_alertmanager(config, tmp_path) as url:
            now = datetime.now(UTC).isoformat()
            sent = [
                {"labels": labels, "annotations": {"summary": f"About {name}"}, "startsAt": now}
                for name, labels in found.items()
            ]
            async with httpx.AsyncClient() as client:
                (await client.post(f"{url}/api/v2/alerts", json=sent)).raise_for_status()
            wanted = {
                (channel, name)
                for name, labels in found.items()
                for receiver in receivers(dict(labels, severity=RULES[name].severity))
                for channel in receiver.channels
                if channel != "heartbeat"
            }

            def missing() -> set[tuple[str, str]]:
                return {
                    (channel, name)
                    for channel, name in wanted
                    if not any(
                        one.channel == channel and f"About {name}" in one.text for one in fake.inbox.messages
                    )
                }

            for _ in range(600):
                if not missing():
                    break
                await asyncio.sleep(0.1)
            assert not missing()
            assert not fake.inbox.rejections
            assert all(one.subject and "<no value>" not in one.text for one in fake.inbox.messages)


def with_addresses(text: str, fake: ReceiverSet) -> str:
    """The operator's file with the addresses and secrets of the test receivers, and without waiting."""
    document = yaml.safe_load(text)
    settings = fake.settings
    assert settings.slack_webhook_url
    assert settings.pagerduty_routing_key
    assert settings.smtp_password
    mail = {
        "smarthost": settings.smarthost,
        "from": settings.smtp_from,
        "auth_username": settings.smtp_user,
        "auth_password": settings.smtp_password.get_secret_value(),
        "require_tls": False,
    }
    pager = {"url": fake.pagerduty, "routing_key": settings.pagerduty_routing_key.get_secret_value()}
    changed = {
        "email_configs": mail,
        "slack_configs": {"api_url": settings.slack_webhook_url.get_secret_value()},
        "pagerduty_configs": pager,
    }
    for receiver in document["receivers"]:
        for kind, values in changed.items():
            for integration in receiver.get(kind, []):
                integration.update(values)
    waiting = [document["route"]]
    while waiting:
        route = waiting.pop()
        route["group_wait"] = "1s"
        waiting += route.get("routes", [])
    document["inhibit_rules"] = []  # all alerts fire at once, and a critical one inhibits warnings
    return str(yaml.safe_dump(document))


@pytest.mark.parametrize("reconciled", ["kube-prometheus-stack"], indirect=True)
def test_info_inhibitor_of_kube_prometheus_stack_inhibits_no_alert(
    reconciled: Reconciled, tmp_path: Path
) -> None:
    """InfoInhibitor fires in every namespace that has an alert of severity info and no other."""
    inhibitor = {"alertname": "InfoInhibitor", "namespace": "tallow", "severity": "none"}
    info = {"alertname": "Other", "namespace": "tallow", "severity": "info"}
    found = alerts(reconciled)
    quiet = {name: labels for name, labels in found.items() if RULES[name].severity == "info"}
    assert "Watchdog" in quiet
    with running_alertmanager(alertmanager_file(reconciled), tmp_path) as url:
        now = datetime.now(UTC).isoformat()
        sent = [{"labels": one, "startsAt": now} for one in (inhibitor, info, *quiet.values())]
        httpx.post(f"{url}/api/v2/alerts", json=sent).raise_for_status()

        def inhibited() -> dict[str, bool]:
            answer = httpx.get(f"{url}/api/v2/alerts").json()
            return {one["labels"]["alertname"]: bool(one["status"]["inhibitedBy"]) for one in answer}

        wait_for(lambda: inhibited().get("Other"), "an alert of severity info is inhibited")
        state = inhibited()
        assert not [name for name in quiet if state[name]]
