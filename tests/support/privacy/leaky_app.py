"""An application that passes secrets to every output channel, with all features of the library enabled.

``python -m support.privacy.leaky_app [HOOK]`` serves it on a free loopback port and prints its URL.
``POST /share/NAME`` makes it leak. HOOK is a hook of :mod:`support.privacy.hook_removal` to remove.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import threading
from contextlib import suppress
from typing import Any

import httpx
import sentry_sdk
import sentry_sdk.logger
import sqlalchemy
import uvicorn
from sentry_sdk.crons import capture_checkin
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from support.privacy import hook_removal, planted_secrets
from support.transfers.server import listener
from tallow.monitoring import instrument, metrics
from tallow.monitoring import sentry as ours
from tallow.monitoring.analytics import analytics
from tallow.monitoring.health import register_check
from tallow.monitoring.logging import configure, logger, transfer_logger
from tallow.monitoring.sentry import context, performance_monitoring

EVERYTHING: dict[str, Any] = {
    "enable_logs": True,
    "enable_metrics": True,
    "include_local_variables": True,
    "profiles_sample_rate": 1.0,
    "auto_session_tracking": True,
}


class BrokenError(RuntimeError):
    """The exception that the application raises."""


def log() -> None:
    """Log messages, bound and nested context, standard-library records, exceptions with local variables."""
    logger.info("Everything is fine", items=3)
    for text in planted_secrets.TEXTS:
        logger.warning(f"Somebody wrote: {text}")
        logging.getLogger("shop").warning("somebody wrote: %s", text, extra={"note": text})
    bound = transfer_logger.bind(**planted_secrets.BY_KEY, **planted_secrets.nested())
    bound.warning("Transfer noted", method="p2p")
    logger.error("Order noted", **planted_secrets.nested())
    logging.getLogger("shop.orders").error(
        "order %s", planted_secrets.nested(), extra=dict(planted_secrets.BY_KEY)
    )
    for text in planted_secrets.TEXTS:
        with suppress(BrokenError):
            fail(text)


def fail(text: str) -> None:
    """Log and raise exceptions with secrets in the message, the cause and the local variables."""
    password = planted_secrets.BY_KEY["password"]  # noqa: F841 - a local variable, as tracebacks show them
    order = planted_secrets.nested()  # noqa: F841
    try:
        raise KeyError(text)
    except KeyError as error:
        logger.exception("Failed")
        logging.getLogger("shop").exception("failed: %s", text)
        sentry_sdk.capture_exception(error)
        raise BrokenError(f"no room for {text}") from error


def report() -> None:
    """Use every reporting function of Sentry's SDK."""
    for text in planted_secrets.TEXTS:
        sentry_sdk.add_breadcrumb(message=text, category="shop", data=planted_secrets.nested())
        sentry_sdk.set_tag("note", text)
        sentry_sdk.set_extra("note", text)
        sentry_sdk.set_context("order", planted_secrets.nested())
        sentry_sdk.set_user(
            {
                "id": planted_secrets.BY_FORM["email"],
                "ip_address": planted_secrets.BY_FORM["ip"],
                "note": text,
            }
        )
        with sentry_sdk.start_span(op="shop", name=text) as span:
            span.set_data("note", text)
            span.set_data("order", planted_secrets.nested())
        sentry_sdk.logger.warning("somebody wrote: {note}", note=text, attributes={"more": text})
        sentry_sdk.metrics.count("orders", 1, attributes={"note": text})
        sentry_sdk.capture_message(text, fingerprint=[text])
        context.set_transfer_context(text, mime_type=text, method=text)
    sentry_sdk.add_attachment(
        bytes=str(planted_secrets.nested()).encode(), filename=planted_secrets.BY_KEY["file_name"]
    )
    capture_checkin(monitor_slug="sweep", status="ok")


def count() -> None:
    """Pass secrets as metric labels and analytics properties."""
    for text in (*planted_secrets.TEXTS, *planted_secrets.SECRETS):
        metrics.record_transfer(text, text, 5e6, 1.0, text)
        metrics.record_error(text, text)
        metrics.record_feature_usage(text)
    for text in (*planted_secrets.TEXTS, *planted_secrets.BY_FORM.values()):
        analytics.goal(text, note=text, **{text: text})
        analytics.transfer_funnel.fail_transfer(text, text)
        analytics.feature_adoption(text, text)
    analytics.goal("order_placed", kind="gift", **planted_secrets.BY_KEY)
    metrics.record_transfer("success", "p2p", 5e6, 1.0, "image/png")


async def call_out(url: str) -> None:
    """Make an HTTP request and an SQL statement, which other libraries log and trace."""
    engine = sqlalchemy.create_engine("sqlite://", echo=True, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("SELECT :note"), {"note": planted_secrets.BY_FORM["email"]})
    async with httpx.AsyncClient() as client:
        await client.get(url, params={"token": "canary-query-4711", "mail": planted_secrets.BY_FORM["email"]})


class RaisesInFinaliser:
    """Raises in its finaliser, where no caller can catch it."""

    def __del__(self) -> None:
        raise BrokenError(planted_secrets.PARTS["assignment"][0])


def crash() -> None:
    """Raise uncaught exceptions in a thread and in a finaliser."""
    thread = threading.Thread(target=fail, args=(planted_secrets.TEXTS[0],))
    thread.start()
    thread.join()
    RaisesInFinaliser()


async def share(request: Request) -> PlainTextResponse:
    await request.body()
    with performance_monitoring.monitor_transfer(planted_secrets.BY_FORM["email"], 5e6, "p2p"):
        log()
        report()
        count()
        crash()
        await call_out(str(request.base_url.replace(path="/fine")))
    fail(planted_secrets.TEXTS[0])
    return PlainTextResponse("never")


async def fine(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("fine")


def mail_check() -> tuple[str, str]:
    return (
        "degraded",
        f"the queue of {planted_secrets.BY_FORM['email']} is full, {planted_secrets.PARTS['assignment'][0]}",
    )


def raising_check() -> None:
    raise ConnectionError(planted_secrets.PARTS["password of a URL"][0])


async def main(hook: str) -> None:
    hook_removal.remove_hook(hook)
    sys.argv.append(planted_secrets.BY_KEY["share_link"])  # as if it were a command-line argument
    configure()
    ours.init_monitoring(**EVERYTHING)
    register_check("mail", mail_check, critical=False)
    register_check("files", raising_check, critical=False)
    app = Starlette(routes=[Route("/share/{name}", share, methods=["POST"]), Route("/fine", fine)])
    bound = listener()
    bound.listen()
    server = uvicorn.Server(uvicorn.Config(instrument(app), access_log=True, log_level="debug"))
    print(f"http://127.0.0.1:{bound.getsockname()[1]}", flush=True)
    await server.serve([bound])


def secret_headers() -> dict[str, str]:
    """Request headers that each contain a secret."""
    return {
        "Authorization": "Bearer canary-bearer-7f3a.88",
        "Cookie": f"{planted_secrets.BY_KEY['cookie']}; sessionid=canary-cookie-7f3a",
        "Referer": planted_secrets.BY_KEY["share_link"],
        "User-Agent": f"browser of {planted_secrets.BY_FORM['email']}",
        "X-Forwarded-For": planted_secrets.BY_FORM["ip"],
        "X-Request-ID": planted_secrets.BY_KEY["room_code"],
        "X-Api-Key": planted_secrets.BY_FORM["stripe"],
        "baggage": (
            f"sentry-trace_id={'ab' * 16},sentry-transaction={planted_secrets.BY_KEY['session_token']}"
        ),
        "sentry-trace": f"{'ab' * 16}-{'cd' * 8}-1",
    }


async def attack(url: str) -> Any:
    """Send requests with secrets in every part to the leaky application; returns the last response."""
    query = planted_secrets.BY_KEY | planted_secrets.BY_FORM
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:
        for text in planted_secrets.TEXTS:
            await client.get(f"/{text}".replace("\n", " "), params=query, headers=secret_headers())
        name = planted_secrets.BY_KEY["file_name"]
        return await client.post(
            f"/share/{name}", params=query, headers=secret_headers(), json=planted_secrets.nested()
        )


if __name__ == "__main__":
    os.umask(0o077)
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else ""))
