"""Alertmanager's alerts and silences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from tallow.stack.clients.matchers import Matcher
from tallow.stack.engines.services.api import Api

State = Literal["firing", "silenced", "inhibited"]
WATCHDOG = "Watchdog"


@dataclass(frozen=True, slots=True)
class Alert:
    """An active alert; ``suppressed_by`` has the ids of the silences or alerts that suppress it."""

    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    state: State
    starts_at: datetime
    receivers: tuple[str, ...]
    suppressed_by: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True)
class Silence:
    """A silence; ``state`` is active, pending or expired."""

    id: str
    matchers: tuple[Matcher, ...]
    state: str
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


def alerts(api: Api) -> list[Alert]:
    """The active alerts, by severity and then oldest first."""
    order = ("critical", "warning", "info")
    with api.reading():
        found = [_alert(entry) for entry in api.get("/api/v2/alerts")]

    def sort_key(alert: Alert) -> tuple[int, datetime]:
        severity = alert.labels.get("severity", "")
        return (order.index(severity) if severity in order else len(order)), alert.starts_at

    return sorted(found, key=sort_key)


def silences(api: Api) -> list[Silence]:
    """Every silence that Alertmanager stores, by its end."""
    with api.reading():
        found = [_silence(entry) for entry in api.get("/api/v2/silences")]
    return sorted(found, key=lambda silence: silence.ends_at)


def add_silence(
    api: Api, matchers: Iterable[Matcher], begins: datetime, ends: datetime, *, by: str, comment: str
) -> str:
    """Create a silence; returns its id."""
    body = {
        "matchers": [
            {"name": one.name, "value": one.value, "isRegex": one.regex, "isEqual": one.equal}
            for one in matchers
        ],
        "startsAt": begins.isoformat(),
        "endsAt": ends.isoformat(),
        "createdBy": by,
        "comment": comment,
    }
    with api.reading():
        return str(api.post("/api/v2/silences", body)["silenceID"])


def expire_silence(api: Api, identity: str) -> None:
    """Expire a silence now."""
    api.delete(f"/api/v2/silence/{identity}")


def _alert(entry: Mapping[str, Any]) -> Alert:
    status = entry["status"]
    silenced, inhibited = status["silencedBy"] or [], status["inhibitedBy"] or []
    state: State = "silenced" if silenced else "inhibited" if inhibited else "firing"
    return Alert(
        entry["labels"],
        entry["annotations"],
        state,
        datetime.fromisoformat(entry["startsAt"]),
        tuple(receiver["name"] for receiver in entry["receivers"]),
        tuple(silenced or inhibited),
    )


def _silence(entry: Mapping[str, Any]) -> Silence:
    return Silence(
        entry["id"],
        tuple(
            Matcher(one["name"], one["value"], regex=one["isRegex"], equal=one.get("isEqual", True))
            for one in entry["matchers"]
        ),
        entry["status"]["state"],
        datetime.fromisoformat(entry["startsAt"]),
        datetime.fromisoformat(entry["endsAt"]),
        entry["createdBy"],
        entry["comment"],
    )
