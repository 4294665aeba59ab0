"""What runs: services, scrape targets, and the way from a rule to a receiver."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from tallow.stack.clients import alertmanager
from tallow.stack.doctor.model import Check, NotApplicableError, Problem
from tallow.stack.doctor.native.installation import Installation, with_api
from tallow.stack.engines.services.api import Api
from tallow.stack.heartbeat.state import HeartbeatState

T = TypeVar("T")

LONG_SILENCE: Final = timedelta(days=7)
_FIRST_BEAT_S: Final = 300.0
"""Seconds after the start in which the first heartbeat may still be on its way, times the stack's scale."""
_START_S: Final = 40.0
"""Seconds in which Prometheus finds everything after its start: two scrapes, and its discovery."""
_POLL_S: Final = 1.0
_FAILED_SHARE: Final = (
    "sum by (integration) (increase(alertmanager_notifications_failed_total[1h]))"
    " / sum by (integration) (increase(alertmanager_notifications_total[1h])) > 0"
)
_ALL: Final = 0.99
"""A share above which every notification failed: ``increase`` extrapolates."""


def _services(installation: Installation) -> Iterator[Problem]:
    if not installation.states:
        yield Problem("nothing runs", installation.command("up"))
    for name, state in installation.states.items():
        if not state.is_healthy:
            remedy = (
                installation.command("up")
                if state.name == "stopped"
                else installation.command("logs", name, "supervisor")
            )
            yield Problem(f"{name} is {state.name}" + (f": {state.detail}" if state.detail else ""), remedy)


@with_api("prometheus")
def _targets(installation: Installation, api: Api) -> Iterator[Problem]:
    with api.reading():
        for target in _settled(api, lambda: _targets_down(api)):
            labels = target["labels"]
            yield Problem(
                f"Prometheus cannot scrape {labels['job']} at {labels['instance']}: {target['lastError']}",
                f"see {installation.command('logs', 'prometheus')}, and the target's own log",
            )


@with_api("prometheus")
def _alertmanager_known(installation: Installation, api: Api) -> Iterator[Problem]:
    with api.reading():
        missing = _settled(
            api, lambda: [] if _alertmanagers(api) else ["Prometheus sends alerts to no Alertmanager"]
        )
    yield from (Problem(message, installation.command("reload")) for message in missing)


def _targets_down(api: Api) -> list[Any]:
    active = api.get("/api/v1/targets", state="active")["data"]["activeTargets"]
    return [target for target in active if target["health"] == "down"]


def _alertmanagers(api: Api) -> list[Any]:
    found: list[Any] = api.get("/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
    return found


def _settled(api: Api, read: Callable[[], list[T]]) -> list[T]:
    """What is wrong, read again while Prometheus has just started.

    It finds Alertmanager some seconds after its start, and what it could not scrape at its start stays down
    until the next scrape.
    """
    while (found := read()) and _age_s(api) < _START_S:
        time.sleep(_POLL_S)
    return found


def _age_s(api: Api) -> float:
    """Seconds since Prometheus started."""
    started = api.get("/api/v1/status/runtimeinfo")["data"]["startTime"]
    return time.time() - datetime.fromisoformat(started[:19] + "+00:00").timestamp()


def _heartbeat(installation: Installation) -> Iterator[Problem]:
    if not installation.states:
        raise NotApplicableError("nothing runs; see: services")
    state = HeartbeatState.read(installation.home.data / "heartbeat") or HeartbeatState()
    remedy = f"{installation.command('alerts')} must show that Watchdog fires; then see its runbook"
    waited = installation.now() - state.since
    if state.state == "missing":
        yield Problem(
            f"no heartbeat arrives: {state.reason or 'Watchdog does not reach the checker'}", remedy
        )
    elif state.state == "waiting" and state.since and waited > _FIRST_BEAT_S * installation.options.scale:
        yield Problem(f"no heartbeat has arrived in {waited:.0f} s", remedy)
    if state.to_notify:
        yield Problem(
            f"the heartbeat checker could not notify {', '.join(state.to_notify)}",
            installation.command("logs", "heartbeat", "--level", "warning"),
        )


@with_api("prometheus")
def _deliveries(installation: Installation, api: Api) -> Iterator[Problem]:
    with api.reading():
        failed = api.get("/api/v1/query", query=_FAILED_SHARE)["data"]["result"]
        shares = {series["metric"]["integration"]: float(series["value"][1]) for series in failed}
    for integration, share in shares.items():
        amount = "all" if share > _ALL else "some"
        yield Problem(
            f"{amount} notifications by {integration} have failed in the last hour",
            f"{installation.command('alerts', 'test')} shows what each receiver answers",
            "error" if share > _ALL else "warning",
        )


@with_api("alertmanager")
def _silences(installation: Installation, api: Api) -> Iterator[Problem]:
    now = datetime.fromtimestamp(installation.now(), UTC)
    for silence in alertmanager.silences(api):
        if silence.state != "active":
            continue
        expire = installation.command("silence", "expire", silence.id)
        matchers = ", ".join(map(str, silence.matchers))
        if all(one.matches(alertmanager.WATCHDOG) for one in silence.matchers if one.name == "alertname"):
            broad = all(one.name == "alertname" or one.matches("") for one in silence.matchers)
            if broad:
                yield Problem(f"the silence {matchers} also silences Watchdog", expire)
        if silence.ends_at - now > LONG_SILENCE:
            yield Problem(
                f"the silence {matchers} lasts until {silence.ends_at:%Y-%m-%d}",
                f"end it: {expire}",
                "warning",
            )


CHECKS: Final = (
    Check("services", "Every service runs and answers", _services),
    Check("targets", "Prometheus scrapes every target", _targets),
    Check("alertmanager", "Prometheus sends alerts to Alertmanager", _alertmanager_known),
    Check("heartbeat", "Watchdog arrives at the heartbeat checker", _heartbeat),
    Check("deliveries", "No notification failed in the last hour", _deliveries),
    Check("silences", "No silence is forgotten or hides Watchdog", _silences),
)
