"""Faults of monitoring: targets, rules, configuration, notification, logs; and a restart loop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.drill.environment import clients
from tallow.stack.drill.environment.profile import NOTIFY, RELOADS, RULES, WATCHDOG
from tallow.stack.drill.receivers import serve
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background

_KILLS: Final = 5
"""More than three restarts in half an hour are a loop."""


@asynccontextmanager
async def target_down(context: DrillContext) -> AsyncIterator[None]:
    """node_exporter is killed."""
    exporter = context.environment.processes["node-exporter"]
    await exporter.kill()
    yield
    await context.environment.start("node-exporter")


@asynccontextmanager
async def failing_rule(context: DrillContext) -> AsyncIterator[None]:
    """Prometheus loads a rule that is valid, but whose labels match several series."""
    rule = {"record": "drill:broken", "expr": "up * on () up"}
    file = context.environment.home.config / "prometheus" / "rules" / "further" / "broken.yml"
    write_private(file, yaml.safe_dump({"groups": [{"name": "broken", "rules": [rule]}]}))
    context.environment.reload()
    yield
    file.unlink()
    context.environment.reload()


@asynccontextmanager
async def refused_prometheus_configuration(context: DrillContext) -> AsyncIterator[None]:
    """Prometheus reloads a configuration with an unknown option."""
    file = context.environment.home.config / "prometheus" / "prometheus.yml"
    good = file.read_text(encoding="utf-8")
    write_private(file, f"{good}unknown_option: 1\n")
    context.environment.reload()
    yield
    write_private(file, good)
    context.environment.reload()


@asynccontextmanager
async def refused_alertmanager_configuration(context: DrillContext) -> AsyncIterator[None]:
    """Alertmanager reloads a configuration with a route to a receiver that does not exist."""
    alertmanager = context.environment.processes["alertmanager"]
    file = context.environment.home.config / "alertmanager" / "alertmanager.yml"
    good = file.read_text(encoding="utf-8")
    document = yaml.safe_load(good)
    document["route"]["receiver"] = "nobody"
    write_private(file, yaml.safe_dump(document))
    alertmanager.signal(signal.SIGHUP)
    yield
    write_private(file, good)
    alertmanager.signal(signal.SIGHUP)


@asynccontextmanager
async def refusing_remote_storage(context: DrillContext) -> AsyncIterator[None]:
    """Remote storage answers 401, as for a wrong password; after the fault it accepts samples."""
    status = 401

    async def push(_request: Request) -> Response:
        return Response(status_code=status)

    storage = Starlette(routes=[Route("/push", push, methods=["POST"])])
    port = await context.cleanup.enter_async_context(serve.serving(storage))
    file = context.environment.home.config / "prometheus" / "prometheus.yml"
    good = file.read_text(encoding="utf-8")

    def stop_remote_write() -> None:
        write_private(file, good)
        context.environment.reload()

    context.cleanup.callback(stop_remote_write)
    remote = {"remote_write": [{"url": f"http://127.0.0.1:{port}/push"}]}
    write_private(file, yaml.safe_dump({**yaml.safe_load(good), **remote}, sort_keys=False))
    context.environment.reload()
    yield
    status = 204


@asynccontextmanager
async def slack_unreachable(context: DrillContext) -> AsyncIterator[None]:
    """Slack cannot be reached while an alert is sent to it."""
    await context.environment.receivers.close_slack()
    await context.server.process.kill()
    yield
    await context.environment.receivers.open_slack()
    await context.server.start()


@asynccontextmanager
async def restart_loop(context: DrillContext) -> AsyncIterator[None]:
    """The server is killed and started again several times, each time long enough to be scraped."""
    for _ in range(_KILLS):
        await context.server.process.kill()
        await context.server.start()
        await asyncio.sleep(2 * context.environment.profile.interval)
    yield


@asynccontextmanager
async def log_endpoint(context: DrillContext) -> AsyncIterator[None]:
    """A log endpoint that accepts all lines. The server starts again: it never knew it unreachable."""
    endpoint = Starlette(routes=[Route("/", _accept, methods=["POST"])])
    async with serve.serving(endpoint, context.environment.ports["logs"]):
        await context.server.process.kill()
        await context.server.start()
        yield


@asynccontextmanager
async def unreachable_log_endpoint(context: DrillContext) -> AsyncIterator[None]:
    """The log endpoint ends; log lines are written until the alert is resolved.

    A peer that joins and leaves causes two lines each time. A refused request would not: a repeated refusal
    is logged once a minute.
    """

    async def write_log_lines() -> None:
        room, token = await clients.create_room(context.server)
        async with clients.join_room(context.server, room, token, "sender"):
            pass

    await context.setup_stack.aclose()
    await context.cleanup.enter_async_context(repeat_in_background(write_log_lines, 0.5))
    yield
    endpoint = Starlette(routes=[Route("/", _accept, methods=["POST"])])
    await context.cleanup.enter_async_context(serve.serving(endpoint, context.environment.ports["logs"]))


async def _accept(_request: Request) -> Response:
    return Response(status_code=204)


@asynccontextmanager
async def prometheus_killed(context: DrillContext) -> AsyncIterator[None]:
    """Prometheus is killed; :mod:`tallow.stack.drill.run.watchdog_runner` then kills Alertmanager."""
    await context.environment.processes["prometheus"].kill()
    yield
    await context.environment.start("prometheus")


DRILLS: Final = (
    Drill(
        alert="Watchdog",
        fault="Prometheus, and after it Alertmanager, is killed and kept down",
        inject=prometheus_killed,
        profile=WATCHDOG,
    ),
    Drill(
        alert="TargetMissing",
        fault="node-exporter is killed and kept down",
        inject=target_down,
        instance_label=lambda environment: environment.instance_label("node-exporter"),
    ),
    Drill(
        alert="RuleEvaluationFailing",
        fault="a rule is loaded that matches several series to one, and fails",
        inject=failing_rule,
        profile=RULES,
        instance_label=lambda environment: environment.instance_label("prometheus"),
    ),
    Drill(
        alert="PrometheusConfigRejected",
        fault="Prometheus reloads a configuration with an unknown option",
        inject=refused_prometheus_configuration,
        profile=RELOADS,
        instance_label=lambda environment: environment.instance_label("prometheus"),
    ),
    Drill(
        alert="AlertmanagerConfigRejected",
        fault="Alertmanager reloads a configuration with a route to an unknown receiver",
        inject=refused_alertmanager_configuration,
        profile=RELOADS,
        instance_label=lambda environment: environment.instance_label("alertmanager"),
    ),
    Drill(
        alert="RemoteWriteFailing",
        fault="samples are sent to remote storage that answers 401",
        inject=refusing_remote_storage,
        profile=RELOADS,
        instance_label=lambda environment: environment.instance_label("prometheus"),
    ),
    Drill(
        alert="AlertmanagerCannotNotify",
        fault="Slack cannot be reached, while the server is killed",
        inject=slack_unreachable,
        profile=NOTIFY,
        instance_label=lambda environment: environment.instance_label("alertmanager"),
        unreachable=frozenset({("slack", "slack")}),
        also_fires=frozenset({"ServiceDown"}),
        fault_seconds=60,
    ),
    Drill(
        alert="RestartLoop",
        fault=f"the server is killed and restarted {_KILLS} times",
        inject=restart_loop,
        also_fires=frozenset({"ServiceDown"}),
        fault_seconds=60,
    ),
    Drill(
        alert="TelemetryDropped",
        fault="nothing listens at LOG_ENDPOINT any more, and the queue has ten lines (LOG_QUEUE_SIZE)",
        setup=log_endpoint,
        inject=unreachable_log_endpoint,
        server_settings={
            "LOG_ENDPOINT": "http://127.0.0.1:{logs}/",
            "LOG_ENDPOINT_KIND": "http",
            "LOG_QUEUE_SIZE": "10",
            "LOG_BATCH_SIZE": "1",
        },
    ),
)
