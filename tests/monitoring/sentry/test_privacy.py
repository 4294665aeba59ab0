"""No item, section or header that reaches Sentry holds private data, with every feature enabled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import sentry_sdk
import sentry_sdk.logger
import sqlalchemy
from sentry_sdk.crons import capture_checkin
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support.privacy.canary import CANARY
from tallow.monitoring import instrument
from tallow.monitoring import sentry as ours
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.sentry import event_scrubbing
from tallow.monitoring.testing import FakeSentry

ID = "0123456789abcdef0123456789abcdef"
EVERYTHING = {
    "enable_logs": True,
    "enable_metrics": True,
    "include_local_variables": True,
    "_experiments": {},
}

Start = Callable[..., None]


class BrokenError(RuntimeError):
    """Raised by the application."""


def application(out: httpx.MockTransport) -> Starlette:
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.NullPool)

    async def share(request: Request) -> PlainTextResponse:
        password = CANARY
        logging.getLogger("app").warning("opening %s", CANARY, extra={"link": CANARY})
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text(f"SELECT '{CANARY}'"))
        async with httpx.AsyncClient(transport=out) as client:
            await client.get(f"http://storage.test/{CANARY}?token={CANARY}#{CANARY}")
        sentry_sdk.add_breadcrumb(message=CANARY, category="app", data={"name": CANARY, CANARY: 1})
        sentry_sdk.set_tag("room", CANARY)
        sentry_sdk.set_extra("name", CANARY)
        sentry_sdk.set_context("file", {"name": CANARY})
        sentry_sdk.set_user({"id": CANARY, "email": CANARY, "ip_address": "10.1.2.3"})
        with sentry_sdk.start_span(op="app", name=CANARY) as span:
            span.set_data("name", CANARY)
        sentry_sdk.add_attachment(bytes=CANARY.encode(), filename=f"{CANARY}.txt")
        sentry_sdk.logger.warning("log {name}", name=CANARY, attributes={"link": CANARY})
        sentry_sdk.metrics.count("uploads", 1, attributes={"name": CANARY})
        try:
            raise KeyError(password)
        except KeyError as error:
            raise BrokenError(f"no such file: {password}") from error

    async def fine(request: Request) -> PlainTextResponse:
        return PlainTextResponse("fine")

    return Starlette(routes=[Route("/share/{name}", share, methods=["POST"]), Route("/fine", fine)])


async def run(app: Any) -> None:
    transport = httpx.ASGITransport(instrument(app), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        await client.post(
            f"/share/{CANARY}?link={CANARY}",
            content=CANARY * 3,
            headers={
                "Authorization": f"Bearer {CANARY}",
                "Cookie": f"session={CANARY}",
                "Referer": f"http://tallow/#{CANARY}",
                "User-Agent": CANARY,
                "X-Forwarded-For": CANARY,
                "X-Request-ID": ID,
                "baggage": f"sentry-trace_id={ID},sentry-transaction={CANARY},sentry-user_segment={CANARY}",
                "sentry-trace": f"{ID}-{ID[:16]}-1",
            },
        )
        await client.get(f"/{CANARY}/nothing")
        await client.get("/fine")


async def report(start: Start, server: FakeSentry) -> None:
    """Send every item type, with a secret in every field."""
    start(EVERYTHING)
    await run(application(httpx.MockTransport(lambda _request: httpx.Response(200))))
    sentry_sdk.capture_message(f"it is {CANARY}", fingerprint=[CANARY])
    capture_checkin(monitor_slug="sweep", status="ok")
    ours.flush(10)


async def test_no_item_holds_a_secret_and_sentry_takes_them_all(start: Start, server: FakeSentry) -> None:
    await report(start, server)
    assert server.rejections == []
    assert {kind for kind, _ in server.items} >= {"event", "transaction", "log", "trace_metric", "check_in"}
    assert CANARY not in server.text
    for private in ("10.1.2.3", "127.0.0.1:", '"user":'):
        assert private not in server.text


async def test_the_facts_that_an_operator_needs_are_kept(start: Start, server: FakeSentry) -> None:
    await report(start, server)
    (event,) = [one for one in server.payloads("event") if "exception" in one]
    cause, error = event["exception"]["values"]
    assert (cause["type"], error["type"]) == ("KeyError", "BrokenError")
    assert error["value"] == "no such file: [secret]"
    frame = error["stacktrace"]["frames"][-1]
    assert (frame["function"], frame["module"]) == ("share", __name__)
    assert frame["filename"].endswith("test_privacy.py")
    assert frame["vars"]["password"] == "'[secret]'"
    assert "abs_path" not in frame
    assert event["request"] == {
        "method": "POST",
        "url": "http://tallow/share/{name}",
        "headers": event["request"]["headers"],
    }
    assert set(event["request"]["headers"]) <= {"accept", "host", "content-length", "content-type"}
    assert event["tags"]["correlation_id"] == ID
    assert (event["release"], event["environment"]) == ("tallow@1.2.3", "production")
    assert event["server_name"] == "app"
    names = {one["transaction"]: one for one in server.payloads("transaction")}
    assert set(names) == {"/share/{name}", "/fine", "other"}
    shared = names["/share/{name}"]
    assert shared["tags"]["correlation_id"] == ID
    assert "GET http://storage.test" in {span.get("description") for span in shared["spans"]}
    assert {"db", "http.client", "app"} <= {span["op"].split(".")[0] for span in shared["spans"]} | {
        "http.client"
    }


async def test_local_variables_are_sent_only_on_request(start: Start, server: FakeSentry) -> None:
    start()
    try:
        content = CANARY
        raise BrokenError(content[:0])
    except BrokenError as error:
        sentry_sdk.capture_exception(error)
    ours.flush(10)
    (event,) = server.payloads("event")
    assert all("vars" not in frame for frame in event["exception"]["values"][0]["stacktrace"]["frames"])


@pytest.mark.parametrize("hook", ["event", "breadcrumb", "record"])
async def test_every_hook_is_needed(
    start: Start, server: FakeSentry, monkeypatch: pytest.MonkeyPatch, hook: str
) -> None:
    """Without any one hook private data arrives: each hook is installed, and the search works."""
    if hook == "breadcrumb":  # breadcrumbs pass the event's hook as well: it alone must do for them
        monkeypatch.setitem(event_scrubbing._SECTIONS, "breadcrumbs", lambda part: part)
    monkeypatch.setattr(event_scrubbing.ScrubbingHooks, hook, lambda self, value, hint: value)
    await report(start, server)
    assert CANARY in server.text


async def test_an_event_that_cannot_be_scrubbed_is_dropped_and_counted(
    start: Start, server: FakeSentry, metrics: Metrics, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_value: Any) -> Any:
        raise RecursionError(CANARY)

    monkeypatch.setattr(event_scrubbing, "scrub", fails)
    start()
    sentry_sdk.capture_message(CANARY)
    ours.flush(10)
    assert server.payloads("event") == []
    assert metrics.registry.value("telemetry_dropped_total", pipeline="sentry", reason="failed") >= 1


async def test_attachments_and_personal_sessions_are_not_sent(
    start: Start, server: FakeSentry, metrics: Metrics
) -> None:
    start()
    sentry_sdk.add_attachment(bytes=CANARY.encode(), filename="note.txt")
    sentry_sdk.start_session(session_mode="application")
    sentry_sdk.capture_message("hello")
    sentry_sdk.end_session()
    ours.flush(10)
    sentry_sdk.get_isolation_scope().clear()
    assert len(server.payloads("event")) == 1
    assert {"attachment", "session"}.isdisjoint(kind for kind, _ in server.items)
    assert metrics.registry.value("telemetry_dropped_total", pipeline="sentry", reason="rejected") >= 1


async def test_outgoing_requests_carry_no_trace_headers(start: Start) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200)

    start()
    with sentry_sdk.start_transaction(name="work"):
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
            await client.get("http://stranger.test/")
    assert {"baggage", "sentry-trace"}.isdisjoint(asked[0].headers)


@pytest.mark.parametrize("kept", [True, False])
def test_the_application_s_own_hook_is_called_first(start: Start, server: FakeSentry, kept: bool) -> None:
    def change(event: Any, _hint: Any) -> Any:
        event["message"] = f"changed, {CANARY}"
        return event if kept else None

    start({"before_send": change})
    sentry_sdk.capture_message("hello")
    ours.flush(10)
    assert [event["message"] for event in server.payloads("event")] == (["changed, [secret]"] if kept else [])


def test_options_that_protect_privacy_cannot_be_changed(start: Start) -> None:
    start({"send_default_pii": True, "before_send": None, "max_request_body_size": "always"})
    options = sentry_sdk.get_client().options
    assert options["data_collection"]["user_info"] is False
    assert options["before_send"] is not None
    assert options["max_request_body_size"] == "never"
