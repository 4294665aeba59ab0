"""Importing a module of the library has no side effects, and what an application starts can be closed."""

from __future__ import annotations

import subprocess
import sys

IMPORT_EVERYTHING = """
import builtins, importlib, os, pkgutil, sys, threading, traceback, warnings

warnings.simplefilter("error")
found = []


def importing_module():
    # The module whose body runs, directly or through a function that it calls.
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == "<module>":
            return frame.f_globals.get("__name__", "")
        frame = frame.f_back
    return ""


def note(what):
    module = importing_module()
    if module.startswith("tallow"):
        found.append(f"{module}: {what}")


class Environment(type(os.environ)):
    def __getitem__(self, name):
        if not name.startswith("PYDANTIC_"):  # pydantic reads its own when a settings class is defined
            note(f"reads {name}")
        return super().__getitem__(name)


def audit(event, arguments):
    if event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+"):
        note(f"writes {arguments[0]}")
    elif event in {"socket.connect", "subprocess.Popen", "os.mkdir", "_thread.start_new_thread"}:
        note(event)


sys.addaudithook(audit)
os.environ.__class__ = Environment
before = set(threading.enumerate())

import tallow.monitoring
for module in pkgutil.walk_packages(tallow.monitoring.__path__, "tallow.monitoring."):
    importlib.import_module(module.name)

from tallow.monitoring.metrics import METRICS
if "registry" in vars(METRICS):
    found.append("the process's series exist")
if set(threading.enumerate()) != before:
    found.append("a thread runs")
print("\\n".join(found))
"""

OPEN_AND_CLOSE = """
import asyncio, atexit, gc, logging, os, sys, threading
from collections.abc import Sized
from types import GenericAlias
from weakref import WeakSet

from tallow.monitoring import Monitoring, process_telemetry
from tallow.monitoring.metrics import Metrics, Registry


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def open_and_close(close):
    async def use(_message):
        pass

    async def receive():
        return {"type": "http.request", "body": b""}

    metrics = Metrics(Registry())
    own = lambda *arguments: app(*arguments)
    monitoring = Monitoring(metrics=metrics, route_of=lambda _scope: None)
    instrumented = monitoring.instrument(own)
    for scope in (
        {"type": "lifespan"},
        {"type": "http", "method": "GET", "path": "/", "headers": []},
        {"type": "http", "method": "GET", "path": "/metrics", "headers": [], "client": ("127.0.0.1", 1)},
    )[0 if close else 1 :]:
        await instrumented(scope, receive, use)
    if close:
        monitoring.close()
        metrics.close()


def loggers():
    return [logging.getLogger(name) for name in sorted(logging.root.manager.loggerDict)]


def sizes():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.startswith("tallow."):
            for key, value in list(vars(module).items()):
                if isinstance(value, (Sized, WeakSet)) and not isinstance(value, (str, type, GenericAlias)):
                    found[f"{name}.{key}"] = len(value)
    return found


def state():
    gc.collect()
    return {
        "gc.callbacks": len(gc.callbacks),
        "at exit": atexit._ncallbacks(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "files": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
        "handlers": [list(logger.handlers) for logger in (logging.root, *loggers())],
        "collections": sizes(),
    }


async def until(condition):
    # The event loop drops an application, and the thread of a scrape ends, a moment after the answer.
    for _ in range(200):
        if condition():
            return
        await asyncio.sleep(0.01)


async def run(close):
    # The first one configures the process's logging; the second one finds it configured.
    for _ in range(2):
        await open_and_close(close)
        await until(lambda: "tallow-call" not in state()["threads"] and not process_telemetry._open)
    before = state()
    for _ in range(50):
        await open_and_close(close)
    await until(lambda: state() == before)
    after = state()
    for name in before:
        if before[name] != after[name]:
            print(name, before[name], after[name])


asyncio.run(run(sys.argv[1] == "close"))
"""


def output(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_imports_touch_no_file_environment_thread_or_series() -> None:
    assert output(IMPORT_EVERYTHING) == ""


def test_fifty_applications_leave_the_process_unchanged_when_closed() -> None:
    assert output(OPEN_AND_CLOSE, "close") == ""


def test_fifty_applications_leave_the_process_unchanged_when_dropped() -> None:
    assert output(OPEN_AND_CLOSE, "drop") == ""


def test_the_garbage_collector_has_no_callback_after_an_application_closed() -> None:
    code = OPEN_AND_CLOSE.replace("asyncio.run(run(", "asyncio.run(open_and_close(").replace(
        '== "close"))', '== "close")); print(len(gc.callbacks))'
    )
    assert output(code, "close") == "0"
