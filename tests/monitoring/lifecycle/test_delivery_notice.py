"""Failed deliveries are logged at once, and again every ten minutes while they last."""

from __future__ import annotations

import socket
import threading

import pytest

from support.manual_clock import ManualClock
from tallow.monitoring.analytics.delivery import PlausibleClient
from tallow.monitoring.analytics.event import Event
from tallow.monitoring.lifecycle import delivery_notice
from tallow.monitoring.lifecycle.delivery_notice import REPEAT_S, DeliveryNotice
from tallow.monitoring.sentry.transport import make_transport
from tallow.monitoring.settings.monitoring_settings import MonitoringSettings
from tallow.monitoring.shipping.batch import Batch
from tallow.monitoring.shipping.endpoint import Endpoint
from tallow.monitoring.testing import fresh_metrics
from tallow.monitoring.testing.fake_backend import running
from tallow.monitoring.testing.log_endpoint import FakeLogEndpoint


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def notice(clock: ManualClock) -> DeliveryNotice:
    return DeliveryNotice("log lines", clock)


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == delivery_notice.__name__]


def test_an_outage_is_logged_again_every_ten_minutes(
    notice: DeliveryNotice, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    for second in range(int(2 * REPEAT_S)):
        clock.now = float(second)
        notice.failed("ConnectError")
    assert logged(caplog) == ["log lines do not reach their receiver (ConnectError)"] * 2


def test_the_end_of_an_outage_is_logged_once(
    notice: DeliveryNotice, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    notice.delivered()
    notice.failed("status 503")
    notice.delivered()
    notice.delivered()
    assert logged(caplog)[1:] == ["log lines reach their receiver again"]


def test_a_receiver_that_fails_every_other_time_causes_two_lines(
    notice: DeliveryNotice, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    for second in range(int(REPEAT_S)):
        clock.now = float(second)
        notice.failed("status 503")
        notice.delivered()
    assert len(logged(caplog)) == 2


@pytest.fixture
def closed_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def test_an_unreachable_log_endpoint_is_logged(closed_port: int, caplog: pytest.LogCaptureFixture) -> None:
    settings = MonitoringSettings.load(
        log_endpoint=f"http://127.0.0.1:{closed_port}/", log_endpoint_kind="http"
    )
    endpoint = Endpoint(settings)
    batch = Batch([b"{}\n"])
    assert [endpoint.send(batch).outcome for _ in range(2)] == ["retry", "retry"]
    endpoint.close()
    assert logged(caplog) == ["log lines do not reach their receiver (ConnectError)"]


def test_an_unreachable_analytics_server_is_logged(
    closed_port: int, caplog: pytest.LogCaptureFixture
) -> None:

    stopping = threading.Event()
    stopping.set()
    client = PlausibleClient(
        MonitoringSettings.load(
            plausible_host=f"http://127.0.0.1:{closed_port}", plausible_domain="example.org"
        ),
        stopping,
    )
    assert client.deliver(Event({}, {})) == "failed"
    client.close()
    assert logged(caplog) == ["analytics events do not reach their receiver (ConnectError)"]


def test_the_end_of_an_outage_of_the_log_endpoint_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with running(FakeLogEndpoint()) as remote:
        endpoint = Endpoint(MonitoringSettings.load(log_endpoint=remote.url, log_endpoint_kind="http"))
        remote.fail(status=503)
        assert endpoint.send(Batch([b"{}\n"])).outcome == "retry"
        remote.recover()
        assert endpoint.send(Batch([b"{}\n"])).outcome == "sent"
        endpoint.close()
    assert logged(caplog) == [
        "log lines do not reach their receiver (status 503)",
        "log lines reach their receiver again",
    ]


def test_reports_that_sentry_does_not_get_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    cls = make_transport(fresh_metrics())
    cls.on_dropped_event(cls.__new__(cls), "network")  # as the SDK calls it; no connection is needed
    assert logged(caplog) == ["error reports do not reach their receiver (network)"]
