"""The canary test of the complete stack: server, two peers, Prometheus, Alertmanager, databases, mailbox.

Secrets are planted in what peers and attackers send to the server, in file names and in the environment. Then
everything that any part has written, sent or stored is searched. A transfer has the same id everywhere.
"""

from __future__ import annotations

import json
import signal
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil
import pytest
from redis import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from websockets.exceptions import ConnectionClosed

from support.privacy import planted_secrets
from support.privacy.captured_outputs import CapturedOutputs, captured_outputs, leaky_process, read_endpoints
from support.privacy.leaky_app import attack, secret_headers
from support.programs.databases import postgres, redis_server
from support.stack import Stack, stack, wait_until
from support.transfers.peers import tallow
from support.transfers.server import Client, join_message
from tallow.stack.engines.services.control import hold

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

SCALE = 1 / 30
PASSWORD = "canary-database-pass"
TOKEN = b"canary join token 7f3a, 32 bytes"
"""A room's join token, which the server must not store."""
STORY = ["Transfer started", "Transfer finished"]
"""What the server logs about the transfer."""


async def test_no_part_of_the_stack_holds_a_secret_and_one_transfer_has_one_id(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    with (
        captured_outputs(shop) as captured,
        redis_server(tmp_path) as (redis, _),
        postgres(tmp_path) as database,
    ):
        environment = {
            **captured.settings(),
            "LOG_FILE": str(tmp_path / "tallow.log"),
            "LOG_SPOOL_DIR": str(tmp_path / "tallow-spool"),
            "DATABASE_URL": database.replace("tallow@", f"tallow:{PASSWORD}@"),
            "REDIS_URL": redis,
            **planted_secrets.ENVIRONMENT,
        }
        (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in environment.items()))
        with stack(tmp_path, SCALE) as running:
            correlation_id = await run_scenario(running, captured, tmp_path)
            add_stored_data(running, captured)
        # The services read the operator's settings, passwords included, from this file. Only its owner can.
        settings = running.state_dir.secrets / "settings.env"
        assert stat.S_IMODE(settings.stat().st_mode) == 0o600
        captured.add_folder("stack", running.state_dir.root, without=settings)
        await add_databases(captured, database, redis)
        for name, backend in (
            ("Sentry", captured.sentry),
            ("Plausible", captured.plausible),
            ("logs", captured.collector),
        ):
            captured.add(name, backend.text)
        captured.add_folder("log files", tmp_path / "logs")
        captured.add("log files", (tmp_path / "tallow.log").read_bytes())
        assert captured.find_leaks(PASSWORD, TOKEN.decode()) == {}
        check_useful_parts(captured, tmp_path, correlation_id)


async def run_scenario(running: Stack, captured: CapturedOutputs, folder: Path) -> str:
    """Run a leaky application, attacks, a transfer and an alert; returns the transfer's correlation id."""
    url = f"http://127.0.0.1:{running.port('tallow')}"
    async with leaky_process(captured) as shop:
        targets = running.state_dir.config / "prometheus" / "targets" / "shop.yml"
        targets.write_text(
            json.dumps([{"targets": [shop.removeprefix("http://")], "labels": {"job": "shop"}}])
        )
        assert (await attack(shop)).status_code == 500
        await send_malicious_requests(url)
        correlation_id = await transfer(url, captured, folder)
        wait_until(lambda: running.value('up{job="shop"}') == 1, "Prometheus sees the shop")
        await read_endpoints(captured, shop)
        await read_endpoints(captured, url, (running.state_dir.secrets / "metrics_token").read_text())
        seen = '{__name__=~"tallow_.+",job="tallow"}'
        wait_until(lambda: exemplar(running, correlation_id), "the transfer's id as an exemplar")
        assert running.get("prometheus", "/api/v1/series", **{"match[]": seen}).json()["data"]
        captured.add("arguments", *arguments_of_processes(running))
    # Records are sent in batches. A process that is killed loses the batch it has not sent.
    wait_until(lambda: sent_story(captured, correlation_id) == STORY, "the transfer's log in the collector")
    running.process("tallow").send_signal(signal.SIGKILL)
    hold(running.state_dir, ["tallow"])
    wait_until(lambda: running.mail("[CRITICAL]"), "the alert e-mail")
    return correlation_id


def sent_story(captured: CapturedOutputs, correlation_id: str) -> list[str]:
    """The messages about the transfer that the log collector has received."""
    return [
        record["message"]
        for record in captured.collector.records
        if (record.get("logger"), record.get("correlation_id")) == ("transfer", correlation_id)
    ]


def arguments_of_processes(running: Stack) -> list[str]:
    """The command lines of the stack's processes and of their children."""
    found = []
    for process in running.processes():
        found.append(" ".join(process.info["cmdline"]))
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile, as has each child that is left out
            for child in process.children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    found.append(" ".join(child.cmdline()))
    return found


async def send_malicious_requests(url: str) -> None:
    """Send requests, signaling messages and reports with secrets in every field."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        client = Client(url=url, http=http)
        for path in ("/api/info", "/api/rooms", f"/{planted_secrets.BY_KEY['file_name']}"):
            await http.get(
                path, params=planted_secrets.BY_KEY | planted_secrets.BY_FORM, headers=secret_headers()
            )
        for body in (
            planted_secrets.nested(),
            {"token_hash": planted_secrets.BY_KEY["password"]},
            list(planted_secrets.TEXTS),
        ):
            await http.post("/api/rooms", json=body, headers=secret_headers())
        room = await client.room(TOKEN)
        for message in (
            join_message(planted_secrets.BY_KEY["room_code"], TOKEN, "sender"),
            join_message(room, TOKEN, planted_secrets.BY_FORM["email"]),
            join_message(
                room, TOKEN, "sender", device=planted_secrets.TEXTS[0], more=planted_secrets.nested()
            ),
        ):
            connection = await client.connect("/api/signal", additional_headers=secret_headers())
            await connection.send(json.dumps(message))
            with pytest.raises(ConnectionClosed):
                while True:
                    await connection.recv()
        sender, receiver = await client.pair()
        for kind in ("offer", "answer", "candidate"):
            await sender.send(type=kind, data=planted_secrets.nested())
        for metrics in (
            planted_secrets.nested(),
            {"transfers_total": [{"labels": planted_secrets.BY_FORM, "value": 1}]},
        ):
            await client.report(sender.joined["telemetry_token"], metrics, note=planted_secrets.TEXTS)
        await sender.send(type="leave", outcome=planted_secrets.TEXTS[0])
        await receiver.socket.close()


async def transfer(url: str, captured: CapturedOutputs, folder: Path) -> str:
    """Transfer a file with a secret name and content; returns the transfer's correlation id."""
    name = planted_secrets.BY_KEY["file_name"]
    (folder / name).write_text(str(planted_secrets.nested()) * 100)
    (folder / "logs").mkdir()
    places = {side: folder / "logs" / f"{side}.log" for side in ("sender", "receiver")}
    home = folder / "home"
    async with tallow(
        "send", str(folder / name), "--server", url, "--relay", home=home, LOG_FILE=str(places["sender"])
    ) as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with tallow(
            *("receive", "--relay", "-o", str(folder / "received")),
            home=home,
            given=link,
            LOG_FILE=str(places["receiver"]),
        ) as receiver:
            assert (await receiver.wait(), await sender.wait()) == (0, 0)
            # The sender's screen shows the link and the file name to its own user.
            shown = [event for event in sender.events if event["event"] != "link"] + receiver.events
            captured.add("--json", *(json.dumps(event).replace(name, "FILE") for event in shown))
    assert (folder / "received" / name).read_bytes() == (folder / name).read_bytes()
    logs = {side: records(place) for side, place in places.items()}
    ids = {record["correlation_id"] for lines in logs.values() for record in lines}
    assert all(logs.values())
    assert len(ids) == 1
    secret = link.rpartition(".")[2]
    assert secret not in str(logs)
    return str(ids.pop())


def exemplar(running: Stack, correlation_id: str) -> bool:
    """Whether Prometheus has the id as an exemplar of one of the server's metrics."""
    query = {"query": "tallow_http_request_duration_seconds_bucket", "start": "0", "end": "9999999999"}
    return correlation_id in running.get("prometheus", "/api/v1/query_exemplars", **query).text


def add_stored_data(running: Stack, captured: CapturedOutputs) -> None:
    """Add what Prometheus and Alertmanager have stored to the outputs."""
    labels = running.get("prometheus", "/api/v1/labels").json()["data"]
    assert {"status", "method", "route"} <= set(labels)
    for path in (*(f"label/{label}/values" for label in labels), "rules", "alerts", "targets", "metadata"):
        captured.add("Prometheus", running.get("prometheus", f"/api/v1/{path}").content)
    for path in ("alerts", "alerts/groups", "silences", "status"):
        captured.add("Alertmanager", running.get("alertmanager", f"/api/v2/{path}").content)
    for mail in running.mail(""):
        captured.add("alert e-mails", mail.subject, mail.text)


async def add_databases(captured: CapturedOutputs, database: str, redis: str) -> None:
    """Add every row of the database and every key of Redis to the outputs."""
    engine = create_async_engine(database.replace("postgresql", "postgresql+asyncpg"))
    async with engine.connect() as connection:
        found = await connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
        for (table,) in found.all():
            rows = (await connection.execute(text(f'SELECT * FROM "{table}"'))).all()
            captured.add("database", table, *(repr(row) for row in rows))
    await engine.dispose()
    with Redis.from_url(redis) as client:
        keys: Any = client.keys("*")
        captured.add("Redis", *keys, *(client.dump(key) or b"" for key in keys))


def records(path: Path) -> list[dict[str, Any]]:
    """The records of a log file."""
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def check_useful_parts(captured: CapturedOutputs, folder: Path, correlation_id: str) -> None:
    """Check that the outputs contain what operators need: the transfer's log, the alert, the metrics."""
    assert (captured.sentry.rejections, captured.plausible.rejections, captured.collector.rejections) == (
        [],
        [],
        [],
    )
    ours = [one for one in records(folder / "tallow.log") if one.get("correlation_id") == correlation_id]
    story = [record["message"] for record in ours if record["logger"] == "transfer"]
    assert story == STORY
    assert {one["role"] for one in ours if one["message"] == "Peer joined"} == {"sender", "receiver"}
    assert sent_story(captured, correlation_id) == STORY
    for side in ("sender", "receiver"):
        last = records(folder / "logs" / f"{side}.log")[-1]
        assert (last["message"], last["role"], last["outcome"]) == ("Transfer finished", side, "success")
    for output, part in {
        "Prometheus": b"tallow_transfers_total",
        "Alertmanager": b"ServiceDown",
        "alert e-mails": b"does not answer",
        "database": b"rooms",
        "arguments": b"tallow serve",
        "health": b'"components"',
        "/metrics": correlation_id.encode(),
        "--json": b'"outcome": "success"',
    }.items():
        assert part in captured.outputs[output], output
