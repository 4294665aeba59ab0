"""Faults of what watches: targets, rules, logs, disks, and a server that keeps dying."""

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

from tallow.monitoring.integrations.websocket_client import connect_websocket
from tallow.monitoring.lifecycle.private_files import write_private
from tallow.stack.drill.environment.profile import NOTIFY, RELOADS, RULES, WATCHDOG
from tallow.stack.drill.receivers import serve
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background

_KILLS: Final = 5
"""Restarts; more than three in half an hour are a loop."""


@asynccontextmanager
async def target_down(scene: DrillContext) -> AsyncIterator[None]:
    exporter = scene.environment.processes["node-exporter"]
    await exporter.kill()
    yield
    await scene.environment.start("node-exporter")


@asynccontextmanager
async def failing_rule(scene: DrillContext) -> AsyncIterator[None]:
    """A rule that was valid when it was written, and whose labels match several series today."""
    rule = {"record": "drill:broken", "expr": "up * on () up"}
    file = scene.environment.home.config / "prometheus" / "rules" / "further" / "broken.yml"
    write_private(file, yaml.safe_dump({"groups": [{"name": "broken", "rules": [rule]}]}))
    scene.environment.reload()
    yield
    file.unlink()
    scene.environment.reload()


@asynccontextmanager
async def refused_prometheus_configuration(scene: DrillContext) -> AsyncIterator[None]:
    """Prometheus is told to read a configuration with an option that it does not know."""
    file = scene.environment.home.config / "prometheus" / "prometheus.yml"
    good = file.read_text(encoding="utf-8")
    write_private(file, f"{good}unknown_option: 1\n")
    scene.environment.reload()
    yield
    write_private(file, good)
    scene.environment.reload()


@asynccontextmanager
async def refused_alertmanager_configuration(scene: DrillContext) -> AsyncIterator[None]:
    """Alertmanager is told to read a configuration with a route to a receiver that does not exist."""
    alertmanager = scene.environment.processes["alertmanager"]
    file = scene.environment.home.config / "alertmanager" / "alertmanager.yml"
    good = file.read_text(encoding="utf-8")
    document = yaml.safe_load(good)
    document["route"]["receiver"] = "nobody"
    write_private(file, yaml.safe_dump(document))
    alertmanager.signal(signal.SIGHUP)
    yield
    write_private(file, good)
    alertmanager.signal(signal.SIGHUP)


@asynccontextmanager
async def refusing_remote_storage(scene: DrillContext) -> AsyncIterator[None]:
    """Samples go to remote storage that answers 401, as with a wrong password; later it takes them."""
    status = 401

    async def push(_request: Request) -> Response:
        return Response(status_code=status)

    storage = Starlette(routes=[Route("/push", push, methods=["POST"])])
    port = await scene.cleanup.enter_async_context(serve.serving(storage))
    file = scene.environment.home.config / "prometheus" / "prometheus.yml"
    good = file.read_text(encoding="utf-8")

    def write_nowhere_else() -> None:
        write_private(file, good)
        scene.environment.reload()

    scene.cleanup.callback(write_nowhere_else)
    remote = {"remote_write": [{"url": f"http://127.0.0.1:{port}/push"}]}
    write_private(file, yaml.safe_dump({**yaml.safe_load(good), **remote}, sort_keys=False))
    scene.environment.reload()
    yield
    status = 204


@asynccontextmanager
async def slack_is_gone(scene: DrillContext) -> AsyncIterator[None]:
    """Slack cannot be reached, and something happens that it should be told of."""
    await scene.environment.receivers.close_slack()
    await scene.server.process.kill()
    yield
    await scene.environment.receivers.open_slack()
    await scene.server.start()


@asynccontextmanager
async def restart_loop(scene: DrillContext) -> AsyncIterator[None]:
    """Killed and started again, each time for long enough to be scraped."""
    for _ in range(_KILLS):
        await scene.server.process.kill()
        await scene.server.start()
        await asyncio.sleep(2 * scene.environment.profile.interval)
    yield


@asynccontextmanager
async def deaf_log_endpoint(scene: DrillContext) -> AsyncIterator[None]:
    """Nothing listens where the logs go, and few lines may wait; the writing goes on when it is healed."""

    async def write_a_line() -> None:
        url = scene.server.url.replace("http", "ws", 1) + "/api/signal"
        async with await connect_websocket(url, direct=True, compression=None) as socket:
            await socket.send("nonsense")
            await socket.recv()

    await scene.cleanup.enter_async_context(repeat_in_background(write_a_line, 0.2))
    yield
    endpoint = Starlette(routes=[Route("/", _take, methods=["POST"])])
    await scene.cleanup.enter_async_context(serve.serving(endpoint, scene.environment.ports["logs"]))


async def _take(_request: Request) -> Response:
    return Response(status_code=204)


@asynccontextmanager
async def alerting_dies(scene: DrillContext) -> AsyncIterator[None]:
    """Kill Prometheus. :mod:`tallow.stack.drill.run.watchdog_runner` kills Alertmanager after it."""
    await scene.environment.processes["prometheus"].kill()
    yield
    await scene.environment.start("prometheus")


DRILLS: Final = (
    Drill(
        alert="Watchdog",
        fault="Prometheus, and after it Alertmanager, is killed and kept down",
        inject=alerting_dies,
        profile=WATCHDOG,
    ),
    Drill(
        alert="TargetMissing",
        fault="node-exporter is killed and kept down",
        inject=target_down,
        instance_label=lambda ground: ground.instance_label("node-exporter"),
    ),
    Drill(
        alert="RuleEvaluationFailing",
        fault="a rule is loaded that matches several series to one, and fails",
        inject=failing_rule,
        profile=RULES,
        instance_label=lambda ground: ground.instance_label("prometheus"),
    ),
    Drill(
        alert="PrometheusConfigRejected",
        fault="Prometheus is told to read a configuration with an unknown option",
        inject=refused_prometheus_configuration,
        profile=RELOADS,
        instance_label=lambda ground: ground.instance_label("prometheus"),
    ),
    Drill(
        alert="AlertmanagerConfigRejected",
        fault="Alertmanager is told to read a configuration with a route to an unknown receiver",
        inject=refused_alertmanager_configuration,
        profile=RELOADS,
        instance_label=lambda ground: ground.instance_label("alertmanager"),
    ),
    Drill(
        alert="RemoteWriteFailing",
        fault="samples are sent to remote storage that answers 401",
        inject=refusing_remote_storage,
        profile=RELOADS,
        instance_label=lambda ground: ground.instance_label("prometheus"),
    ),
    Drill(
        alert="AlertmanagerCannotNotify",
        fault="nothing listens where Slack was, while the server is killed",
        inject=slack_is_gone,
        profile=NOTIFY,
        instance_label=lambda ground: ground.instance_label("alertmanager"),
        unreachable=frozenset({("slack", "slack")}),
        also_fires=frozenset({"ServiceDown"}),
        fault_seconds=60,
    ),
    Drill(
        alert="RestartLoop",
        fault=f"the server is killed and started again {_KILLS} times",
        inject=restart_loop,
        also_fires=frozenset({"ServiceDown"}),
        fault_seconds=60,
    ),
    Drill(
        alert="TelemetryDropped",
        fault="nothing listens where the logs go (LOG_ENDPOINT), and ten lines may wait (LOG_QUEUE_SIZE)",
        inject=deaf_log_endpoint,
        server_settings={
            "LOG_ENDPOINT": "http://127.0.0.1:{logs}/",
            "LOG_ENDPOINT_KIND": "http",
            "LOG_QUEUE_SIZE": "10",
            "LOG_BATCH_SIZE": "1",
        },
    ),
)
