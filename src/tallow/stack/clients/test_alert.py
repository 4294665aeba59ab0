"""Send a marked test alert through Alertmanager and report the delivery by each integration."""

from __future__ import annotations

import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from tallow.stack.alerts.links import OVERVIEW, Links
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.logs.reader import LogFilter
from tallow.stack.engines.records import mail_reader, read_logs
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.routing.matrix import CATEGORIES, SEVERITIES, Channel, Receiver, receivers

ALERT: Final = "TallowTest"
POLL_S: Final = 0.25
_INTEGRATIONS: Final[Mapping[Channel, str]] = {
    "email": "email",
    "slack": "slack",
    "pagerduty": "pagerduty",
    "heartbeat": "webhook",
}
_SAMPLE = re.compile(r"^alertmanager_notification_requests(_failed)?_total\{([^}]*)\} (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_CAUSE = re.compile(r".*attempts: ", re.DOTALL)

_EARLIER_ERRORS: Final = timedelta(hours=1)
_SHARE_OF_OTHERS: Final = 0.9
"""The share of the group wait in which results of other notifications are told apart."""

Counts = Mapping[tuple[str, bool], float]
"""Notification requests by integration: all (False) and failed ones (True)."""
DeliveryOutcome = Literal["delivered", "failed", "silent"]


@dataclass(frozen=True, slots=True)
class TestAlertResult:
    """The delivery by one integration, and the seconds that it took."""

    channel: Channel
    outcome: DeliveryOutcome
    seconds: float
    detail: str = ""


@dataclass(frozen=True, slots=True)
class TestAlert:
    """A test alert that was sent; its summary contains the unique ``identity``."""

    __test__ = False  # not a test class

    identity: str
    receiver: Receiver
    channels: tuple[Channel, ...]
    sent: datetime
    links: Links

    @classmethod
    def send(cls, api: Api, receiver: Receiver, channels: tuple[Channel, ...], links: Links) -> TestAlert:
        """Send an alert that is routed to the receiver; ``links`` are those of the running stack."""
        alert = cls(secrets.token_hex(4), receiver, channels, datetime.now(UTC), links)
        alert._post(api, alert.sent + timedelta(hours=1))
        return alert

    def resolve(self, api: Api) -> None:
        """Resolve the alert; its receivers are notified after the next group interval."""
        self._post(api, datetime.now(UTC))

    def results(
        self, api: Api, home: StateDir, group_wait_s: float, patience_s: float
    ) -> Iterator[TestAlertResult]:
        """The result of each integration as it arrives; ``silent`` for those without one in time.

        What is counted before the group wait ends belongs to another notification, such as one that
        Alertmanager repeats: the alert's group is new, and waits.

        Args:
            api: Alertmanager.
            home: the stack's folder.
            group_wait_s: the receiver's group wait.
            patience_s: seconds for which a result is awaited after it.
        """
        waiting = list(self.channels)
        started = time.monotonic()
        others = _counts(api, self.receiver)
        while waiting and (seconds := time.monotonic() - started) < group_wait_s + patience_s:
            counts = _counts(api, self.receiver)
            if seconds < _SHARE_OF_OTHERS * group_wait_s:
                others = counts
            for channel in tuple(waiting):
                if result := self._result(channel, counts, others, home, seconds):
                    waiting.remove(channel)
                    yield result
            time.sleep(POLL_S)
        yield from (TestAlertResult(channel, "silent", group_wait_s + patience_s) for channel in waiting)

    @property
    def summary(self) -> str:
        return f"TEST {self.identity}: test of the receiver {self.receiver.name}"

    def _result(
        self, channel: Channel, counts: Counts, others: Counts, home: StateDir, seconds: float
    ) -> TestAlertResult | None:
        integration = _INTEGRATIONS[channel]
        tried, failed = (
            counts.get((integration, kind), 0) - others.get((integration, kind), 0) for kind in (False, True)
        )
        if tried > failed:
            return TestAlertResult(
                channel, "delivered", seconds, self._mailbox_note(home) if channel == "email" else ""
            )
        if failed > 0:
            return TestAlertResult(channel, "failed", seconds, self._reason(integration, home))
        return None

    def _mailbox_note(self, home: StateDir) -> str:
        """The number of the message in the stack's mailbox, if it was delivered there."""
        try:
            found = [mail for mail in mail_reader(home)() if self.identity in mail.subject]
        except (StackError, OSError):  # no mailbox runs: a mail server is set
            return ""
        return f"stored in the mailbox: tallow inbox {found[-1].number}" if found else ""

    def _reason(self, integration: str, home: StateDir) -> str:
        """The error of the remote service, from Alertmanager's log.

        Alertmanager logs the first failed attempt of a notification, and not its repetitions. If no line is
        new, the last error of the hour before is the reason.
        """
        since = self.sent - _EARLIER_ERRORS
        lines = read_logs(home, ["alertmanager"], LogFilter(since=since, text=self.receiver.name))
        reasons = [
            str(line.extra["err"]) for line in lines if "err" in line.extra and integration in line.raw
        ]
        return _CAUSE.sub("", reasons[-1]) if reasons else "see: tallow logs alertmanager --since 5m"

    def _post(self, api: Api, ends: datetime) -> None:
        alert = {
            "labels": {
                **labels_routed_to(self.receiver),
                "job": "tallow",
                "instance": f"test-{self.identity}",
            },
            "annotations": {
                "summary": self.summary,
                "description": "Sent by `tallow alerts test`. No action is needed.",
                "runbook_url": f"{self.links.runbooks}/Watchdog",
                "dashboard_url": OVERVIEW.url(self.links),
            },
            "startsAt": self.sent.isoformat(),
            "endsAt": ends.isoformat(),
        }
        api.post("/api/v2/alerts", [alert])


def labels_routed_to(receiver: Receiver) -> dict[str, str]:
    """Labels of an alert that is routed to a receiver and to as few others as possible.

    Raises:
        ValueError: only Watchdog is routed to the receiver.
    """
    labels = (
        {"alertname": ALERT, "severity": severity, "category": category, "service": "tallow"}
        for severity in SEVERITIES
        for category in CATEGORIES
    )
    candidates = [each for each in labels if receiver in receivers(each)]
    if not candidates:
        raise ValueError(f"no test alert is routed to {receiver.name}")
    return min(candidates, key=lambda each: len(receivers(each)))


def _counts(api: Api, receiver: Receiver) -> Counts:
    """Notification requests by integration: all (False) and failed ones (True).

    Newer versions of Alertmanager count them for each receiver, older ones only for each integration.
    """
    counts: Counter[tuple[str, bool]] = Counter()
    for failed, inside, value in _SAMPLE.findall(api.text("/metrics")):
        labels = dict(_LABEL.findall(inside))
        if labels.get("receiver_name", receiver.name) == receiver.name:
            counts[labels["integration"], bool(failed)] += float(value)  # type: ignore[assignment]
    return counts
