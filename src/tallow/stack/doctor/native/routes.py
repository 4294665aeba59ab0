"""Routing: where the configuration on disk sends each alert, compared with where it must go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallow.stack.alerts import RULES
from tallow.stack.clients.alertmanager import WATCHDOG
from tallow.stack.doctor.model import Check, NotApplicableError, Problem, listed
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.doctor.routing_tree import receivers_of
from tallow.stack.routing import matrix

_HEARTBEAT: Final = "heartbeat"


def _routes(installation: Installation) -> Iterator[Problem]:
    config = installation.alertmanager_config
    for receiver, names in _missing(config).items():
        yield Problem(
            f"alertmanager.yml does not send {listed(names)} to {receiver}",
            f"undo changes by hand, then: {installation.command('reload')}",
        )
    for name in _silent_receivers(config):
        yield Problem(
            f"the receiver {name} notifies nobody",
            f"undo changes by hand, then: {installation.command('reload')}",
        )


def _watchdog_route(installation: Installation) -> Iterator[Problem]:
    config = installation.alertmanager_config
    labels = {"alertname": WATCHDOG, **RULES[WATCHDOG].render().labels}
    remedy = f"undo changes by hand, then: {installation.command('reload')}"
    if _HEARTBEAT not in receivers_of(config, labels):
        yield Problem(
            "Watchdog is not routed to the heartbeat checker: silence would look like health", remedy
        )
        return
    webhooks = [hook.get("url", "") for hook in _receiver(config, _HEARTBEAT).get("webhook_configs", ())]
    if not any(str(url).endswith("/heartbeat") for url in webhooks):
        yield Problem("the receiver heartbeat has no webhook to the heartbeat checker", remedy)


def _missing(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """The alerts that do not reach a receiver that they must reach, by receiver."""
    missing = defaultdict(list)
    for name, rule in RULES.items():
        if name == WATCHDOG:
            continue
        labels = {"alertname": name, **rule.render().labels}
        reached = set(receivers_of(config, labels))
        for receiver in matrix.receivers(labels):
            if receiver.name not in reached:
                missing[receiver.name].append(name)
    return missing


def _silent_receivers(config: Mapping[str, Any]) -> list[str]:
    return [
        receiver.name
        for receiver in matrix.RECEIVERS
        if not any(
            key.endswith("_configs") and value for key, value in _receiver(config, receiver.name).items()
        )
        and receiver.name != _HEARTBEAT
    ]


def _receiver(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    try:
        return next(one for one in config["receivers"] if one["name"] == name)
    except (LookupError, TypeError, StopIteration):
        raise NotApplicableError("alertmanager.yml has no such receiver; see: configuration") from None


CHECKS: Final = (
    Check("routes", "Every alert reaches its receivers", _routes),
    Check("watchdog-route", "Watchdog reaches the heartbeat checker", _watchdog_route),
)
