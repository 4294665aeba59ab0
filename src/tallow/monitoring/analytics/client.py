"""Create events for Plausible, except for requests that ask not to be tracked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tallow import __version__
from tallow.monitoring import request_context
from tallow.monitoring.analytics import categories
from tallow.monitoring.analytics.event import Event
from tallow.monitoring.analytics.funnels import ConnectionFunnel, TransferFunnel
from tallow.monitoring.analytics.session import Session
from tallow.monitoring.lifecycle import fork, shutdown
from tallow.monitoring.metrics import METRICS, Metrics
from tallow.monitoring.settings import BadSettingError, current_settings

if TYPE_CHECKING:
    from tallow.monitoring.analytics.sender import EventSender
    from tallow.monitoring.settings.monitoring_settings import MonitoringSettings

USER_AGENT: Final = f"tallow/{__version__}"
"""The user agent of an event outside a request."""

ADOPTION_STAGES: Final = frozenset({"discovered", "tried", "used", "adopted", "abandoned"})


class Analytics:
    """Sends events to Plausible. No method waits for the network, raises or stores anything about a visitor.

    Args:
        settings: by default the process's own, read at the first event.
        metrics: counts dropped events.

    Attributes:
        transfer_funnel: the steps of a file transfer.
        connection_funnel: the steps of a connection between peers.

    Example::

        >>> from tallow.monitoring.settings import MonitoringSettings
        >>> from tallow.monitoring.testing import plausible_endpoint
        >>> with plausible_endpoint() as plausible:
        ...     settings = MonitoringSettings.load(
        ...         plausible_host=plausible.url, plausible_domain="example.org"
        ...     )
        ...     client = Analytics(settings)
        ...     client.goal("link_copied", copies=3)
        ...     client.close(timeout=10)
        ...     [(event["name"], event["props"]) for _headers, event in plausible.events]
        [('link_copied', {'copies': '2_to_5'})]
    """

    def __init__(self, settings: MonitoringSettings | None = None, metrics: Metrics = METRICS) -> None:
        self._settings = settings
        self._metrics = metrics
        self._sender: EventSender | None = None
        self._disabled = False
        self.transfer_funnel = TransferFunnel(self._send_event)
        self.connection_funnel = ConnectionFunnel(self._send_event)

    def configure(self, settings: MonitoringSettings, metrics: Metrics | None = None) -> None:
        """Use other settings from now on. Queued events are dropped and counted.

        Args:
            settings: the settings that begin with ``PLAUSIBLE_``.
            metrics: counts dropped events; by default those of the constructor.
        """
        self.close(0)
        self._settings = settings
        self._metrics = metrics or self._metrics
        self._sender, self._disabled = None, False

    def goal(self, name: str, **props: Any) -> None:
        """Count a goal. ``props`` are categories: short words, booleans, counts."""
        self._send_event(name, props)

    def ab_test(self, experiment: str, variant: str, *, converted: bool = False) -> None:
        """Count a view of a variant of an experiment or, if ``converted``, its success."""
        self._send_event(
            "Experiment", {"experiment": experiment, "variant": variant, "converted": bool(converted)}
        )

    def feature_adoption(self, feature: str, stage: str = "used") -> None:
        """Count a feature's stage: discovered, tried, used, adopted or abandoned."""
        self._send_event(
            "Feature", {"feature": feature, "stage": stage if stage in ADOPTION_STAGES else "other"}
        )

    def engagement(self, activity: str, duration_s: float | None = None, depth: int | None = None) -> None:
        """Count an activity with the categories of its duration in seconds and its depth."""
        duration = None if duration_s is None else categories.duration_category(duration_s)
        self._send_event("Engagement", {"activity": activity, "duration": duration, "depth": depth})

    def session(self, kind: str = "visit") -> Session:
        """Return a session, which sends an event for each step and one at its end: see :class:`Session`."""
        return Session(self._send_event, kind)

    def flush(self, timeout: float = 2) -> bool:
        """Wait at most ``timeout`` seconds until queued events are sent or dropped: whether they are."""
        return self._sender is None or self._sender.flush(timeout)

    def close(self, timeout: float = 2) -> None:
        """Send queued events for at most ``timeout`` seconds, count the rest as dropped, and send no more."""
        with fork.lock:
            sender, self._sender, self._disabled = self._sender, None, True
        if sender is not None:
            shutdown.unregister_pipeline(self._pipeline_name)
            sender.close(timeout)

    def pause(self, timeout: float = 2) -> None:
        """Send queued events as :meth:`close` does. The next event starts the queue again."""
        self.close(timeout)
        self._disabled = False

    def _send_event(self, name: str, props: Mapping[str, Any]) -> None:
        try:
            sender = self._sender or self._start()
            if sender is None or request_context.opts_out():
                return
            settings = sender.settings
            event = {
                "domain": settings.plausible_domain,
                "name": categories.event_name(name),
                "url": f"https://{settings.plausible_domain}/",
                "props": categories.properties(props),
            }
            headers = {"User-Agent": categories.user_agent(request_context.user_agent()) or USER_AGENT}
            address = request_context.client_address() if settings.plausible_forward_address else None
            if address is not None:
                headers["X-Forwarded-For"] = address
            sender.put(Event(event, headers))
        except Exception:  # noqa: BLE001 - telemetry never harms its host
            self._metrics.record_dropped("analytics", "failed")

    def _start(self) -> EventSender | None:
        """The sender, or None if no site is configured."""
        if self._disabled:
            return None
        with fork.lock:
            if self._sender is None and not self._disabled:
                self._sender = self._new_sender()
            return self._sender

    def _new_sender(self) -> EventSender | None:
        try:
            settings = self._settings or current_settings()
        except BadSettingError:  # the start of the process reports it
            settings = None
        if settings is None or settings.plausible_domain is None:
            self._disabled = True
            return None
        from tallow.monitoring.analytics.sender import (
            EventSender,
        )  # loads an HTTP client, which takes a while

        sender = EventSender(settings, self._metrics)
        shutdown.register_pipeline(self._pipeline_name, sender.flush, sender.close_at_exit)
        return sender

    @property
    def _pipeline_name(self) -> str:
        return f"analytics {id(self)}"
