"""Names follow docs/glossary.md: names that were given up do not come back, and prose uses no metaphors."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent

OLD_MODULES = """
    monitoring: access asgi aside bandwidth caches capture cells certificates clients derive endpoints
        env_file environment escaping family foreign forks leaving metric_family negotiation others outcomes
        outgoing process registry routes runtime said scrape setting_error setting_types small_file sqlalchemy
        variable_source visitor workers
    monitoring.analytics: classes
    monitoring.catalog: itself product rules vocabulary
    monitoring.health: answers standard
    monitoring.logging: access bridge errors fields setup uncaught
    monitoring.sentry: hooks state
    monitoring.testing: backend search
    app.server: addresses api budget cache gauges handoff homes http ice lobby listen main messages openapi
        protocol redis relay report signaling sockets store telemetry tokens workers
    app.peer: incoming journal mailbox manifest offer outgoing private progress receiver retries seat secure
        sender server side signaling state telemetry ways
    app.crypto: order
    app.demo: bad line pair seat
    app.faults: keys ways
    app.files: error
    app.metadata: broken
    stack: alertmanager alerts_docs inbox matchers metrics_docs privacy_docs settings_docs testpage
    stack.alerts: meta
    stack.commands: alerts_list hints services_table table terminal
    stack.drill: beat configuration document drill expected fidelity ground instance observer program reading
        result runner session table track visitor
    stack.drill.receivers: desk web
    stack.engines: apt binaries child_process debian exits home keeper layout liveness locks package_folders
        plan purge restart rotation state_marker supervisor_log versions
    stack.heartbeat: notice outside record watch
    stack.lint: evidence forms names shape
"""
"""Modules that were moved or renamed, by their package in ``tallow``."""

OLD_NAMES: dict[str, dict[str, str]] = {
    "": {
        "Alone": "SingleProcessDirectory",
        "BareSeat": "RawRoomClient",
        "BeatRunner": "WatchdogRunner",
        "Budget": "QuotaUsage",
        "Choices": "StackOptions",
        "Desk": "ReceiverSet",
        "Ending": "TaskCanceller",
        "Gauges": "RoomMetrics",
        "Ground": "DrillEnvironment",
        "Handoff": "RequestForwarder",
        "Held": "ConcurrencyLimiter",
        "Home": "StateDir",
        "Homes": "RoomDirectory",
        "Incoming": "FileReceiver",
        "InnerDoor": "InternalGateway",
        "Journal": "TransferEventLog",
        "Keep": "MaildirHandler",
        "Keeper": "ProcessKeeper",
        "Lobby": "RoomManager",
        "Made": "CreatedRoom",
        "Meddler": "MaliciousServer",
        "NoHomeError": "RoomLocationError",
        "NotHereError": "UnsupportedError",
        "Notice": "Message",
        "Others": "MultiprocessReader",
        "Outcomes": "TransferSeries",
        "Outgoing": "FileSender",
        "Outside": "ExternalSwitch",
        "Pace": "BurnRateWindow",
        "PostOffice": "SmtpHandler",
        "RedisHomes": "RedisRoomDirectory",
        "Rooms": "LazyGroup",
        "Seat": "RoomSession",
        "Side": "TransferSession",
        "Sighting": "AlertTimeline",
        "Slow": "DelayedSignaling",
        "Survivor": "ForkAware",
        "TestPage": "TestAlert",
        "ThreadRow": "ThreadSlot",
        "Told": "EventRecorder",
        "Tokens": "TokenStore",
        "Track": "DrillProfile",
        "Tray": "Inbox",
        "Unhandled": "UnhandledErrorLogger",
        "Watch": "HeartbeatMonitor",
        "_Files": "a name that says which files",
        "_Loan": "SlotLease",
        "_One": "a name that says one of what",
        "_Theirs": "CollectorBridge",
        "_Watched": "HandlerWatchingFactory",
        "_bury": "_archive_exited",
        "again_and_again": "repeat_in_background",
        "as_seen": "lazy",
        "aside": "run_in_thread",
        "bare_seat": "raw_room_client",
        "buried": "archived_workers",
        "code_of": "abort_code",
        "elsewhere": "other_processes",
        "failing_together": "run_all_or_fail",
        "forked": "after_fork",
        "give_back": "release",
        "goodbye": "check_remote_departure",
        "healed": "cleared_at",
        "is_holder": "is_placeholder",
        "is_passing": "is_transient",
        "itself": "self_monitoring_metrics",
        "lend": "acquire",
        "lost_grace": "sender_reconnect_grace",
        "meddler": "malicious_server",
        "outcome_wait": "outcome_report_timeout",
        "queue_limit": "max_queued_seconds",
        "said": "warn_once",
        "shortcomings": "message_problems",
        "told": "render_access_record",
        "unhooked": "hook_removal",
        "vouch": "remember_safe",
    },
    "src/tallow/monitoring": {
        "Bandwidth": "ThroughputWindow",
        "Entries": "MetricRows",
        "Fields": "ContextScrubber",
        "_tell": "_report_depth",
        "adopt": "merge_series",
        "decimal": "as_digits",
        "guarded": "registered",
        "once": "warn_once",
        "truth": "as_bool",
        "withdraw": "hide",
    },
    "src/tallow/monitoring/health": {"Answers": "HealthResponses", "Outcome": "CheckResult"},
    "src/tallow/monitoring/privacy": {
        "Counts": "RedactionCounter",
        "Reader": "ScrubContext",
        "Shapes": "a name that says what is remembered",
        "is_chosen": "looks_like_password",
        "versioned": "allow_versions",
    },
    "src/tallow/monitoring/shipping": {"Answer": "DeliveryResult"},
    "src/tallow/app/crypto": {"Order": "FrameSequence"},
    "src/tallow/app/demo": {"Line": "CuttableServer"},
    "src/tallow/app/peer": {
        "Accept": "ResumeOffer",
        "Mailbox": "ClosableQueue",
        "Opener": "ChannelConnector",
        "Received": "ReceiverState",
        "Sent": "SenderState",
        "Server": "ServerClient",
        "Telemetry": "TelemetryReporter",
        "agree": "perform_handshake",
    },
    "src/tallow/app/server": {
        "Addresses": "ClientAddressHasher",
        "Entries": "MetricRows",
        "Link": "PeerConnection",
        "Place": "NodeAddress",
        "Share": "ReportQuota",
        "Workers": "WorkerSlotDirectory",
        "_End": "RelaySide",
        "carry": "proxy_websocket",
        "living": "serve_internal",
        "lose": "evict",
        "rise": "leave",
        "sit": "join",
        "tick": "run_due_tasks",
    },
    "src/tallow/stack": {"BEYOND": "EXTRA", "CONTRACT": "CORE"},
    "src/tallow/stack/alerts": {
        "absent": "on_absent",
        "by": "group_labels",
        "figures": "annotation_queries",
        "guard": "startup_grace",
        "hold": "for_seconds",
        "limits": "thresholds",
        "minimums": "min_counts",
        "words": "description",
    },
    "src/tallow/stack/drill": {
        "Instance": "ServerUnderTest",
        "Program": "ManagedProcess",
        "Session": "DrillSuite",
        "about": "instance_label",
        "along": "also_fires",
        "began": "started_at",
        "changes": "unexplained_differences",
        "desk": "receivers",
        "floor": "min_latency",
        "lasts": "fault_seconds",
        "standing": "drill_environment",
        "until": "wait_until",
    },
    "src/tallow/stack/engines": {"Plan": "SupervisorPlan", "Report": "SupervisorStatus"},
    "src/tallow/stack/heartbeat": {"Record": "HeartbeatState"},
    "tests/support": {
        "Exits": "CapturedOutputs",
        "Line": "ThrottlingProxy",
        "alerting": "alert_simulation",
        "exits": "captured_outputs",
        "heldout": "heldout_corpus",
        "leaky": "leaky_app",
        "life": "demo_traffic",
        "mutation": "mutation_runner",
        "planted": "planted_secrets",
        "proxy": "throttling_proxy",
        "resources": "process_usage",
    },
    "tests/integration": {"test_silence": "test_no_false_alerts"},
    "tests": {
        "equivalents": "equivalent_mutants",
        "test_agreement": "test_prometheus_client_parity",
        "test_asgi_manners": "test_asgi_edge_cases",
        "test_built": "test_viewer_bundle",
        "test_fatigue": "test_alert_noise",
        "test_foreign": "test_prometheus_client_bridge",
        "test_hostile": "test_metrics_hostile_input",
        "test_leaving": "test_shutdown",
        "test_page": "test_end_to_end_alert",
        "test_ways": "test_connector",
    },
    "benchmarks": {
        "apart": "isolated_process",
        "holds": "event_loop_stalls",
        "measure": "paired_measurement",
        "peers": "competitors",
        "quiet": "no_monitoring",
        "records": "recording",
        "watches": "background_overhead",
    },
    "web": {
        "Board": "DashboardView",
        "Inner": "InternalLink",
        "ago": "relativeTime",
        "kind": "panelTypes",
        "kinds": "panelTypes",
        "plugins": "uplotPlugins",
        "unused": "emptyModule",
    },
}
"""Names that were given up, by the folder in which they are: the name to use instead."""

METAPHORS = (
    r"lobb(?:y|ies)",
    r"seat(?:s|ed)?",
    r"desks?",
    r"aside",
    r"said",
    r"bur(?:y|ies|ied|ial|ials)",
    r"the (?:dead|living)",
    r"goodbyes?",
    r"vouch(?:es|ed)?",
    r"inner doors?",
    r"front doors?",
    r"house register",
    r"meddl(?:e|es|er|ers|ing)",
    r"post offices?",
    r"heal(?:s|ed|ing)",
    r"wakes? (?:any|some)body",
)
"""Words with which the project once described what has a name of its own."""

EXEMPT: dict[str, tuple[str, str]] = {
    "tests/test_names.py": (r".*", "lists the words"),
    "tests/monitoring/privacy/": (r".*", "texts that applications log"),
    "tests/support/privacy/heldout_corpus.py": (r"worker 3 said", "a text that an application logs"),
    "src/tallow/monitoring/privacy/tables/": (r"lobby|desk-1", "examples of values"),
    "docs/privacy-rules.md": (r"lobby|desk-1", "examples of values"),
}
"""Texts in which words are not looked for, by file or by folder (which ends in a slash): what is ignored in a
line, as a regular expression, and the reason."""


FOLDERS = ("src", "tests", "benchmarks", "web", "scripts", "docs", "monitoring", "pyproject.toml")
DOCUMENTS = tuple(path.name for path in sorted(ROOT.glob("*.md")) if path.name != "CHANGELOG.md")
GENERATED = {"node_modules", "__pycache__", "static", ".hypothesis"}
"""Folders of tools."""


class Definition(NamedTuple):
    """A name that a source file defines: a module, class, function, method, field or constant."""

    file: str
    line: int
    name: str


def files(*folders: str) -> list[str]:
    """The files of the project in some folders, without what tools generate.

    The changelog is left out: it quotes earlier versions.
    """
    starts = [ROOT / folder for folder in folders]
    found = [start for start in starts if start.is_file()]
    found += [path for start in starts for path in start.rglob("*") if path.is_file()]
    names = sorted(path.relative_to(ROOT).as_posix() for path in found)
    return [name for name in names if not GENERATED.intersection(name.split("/"))]


def python_definitions(file: str, source: str) -> Iterator[Definition]:
    """Everything that a module defines for others: local variables and parameters are left out."""
    yield Definition(file, 1, Path(file).stem)
    yield from _defined_in(file, ast.parse(source).body)


def _defined_in(file: str, body: list[ast.stmt]) -> Iterator[Definition]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield Definition(file, node.lineno, node.name)
            yield from _defined_in(file, node.body)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield Definition(file, node.lineno, node.name)
            yield from _attributes(file, node)
        else:
            for name in _targets(node):
                yield Definition(file, node.lineno, name)


def _targets(node: ast.stmt) -> Iterator[str]:
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child.id


def _attributes(file: str, function: ast.AST) -> Iterator[Definition]:
    """Fields that a method sets, and functions within a function."""
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield Definition(file, node.lineno, node.attr)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node is not function:
            yield Definition(file, node.lineno, node.name)


_TYPESCRIPT = re.compile(
    r"^\s*(?:export )?(?:default )?(?:function|const|let|class|interface|type) (\w+)", re.MULTILINE
)


def typescript_definitions(file: str, source: str) -> Iterator[Definition]:
    """The file's name, and what it declares."""
    yield Definition(file, 1, Path(file).name.split(".")[0])
    for found in _TYPESCRIPT.finditer(source):
        yield Definition(file, source.count("\n", 0, found.start(1)) + 1, found[1])


def definitions() -> Iterator[Definition]:
    """All definitions of the project's own sources."""
    for file in files("src", "tests", "benchmarks", "web"):
        if file.endswith(".py"):
            yield from python_definitions(file, _text(file))
        elif file.endswith((".ts", ".tsx")):
            yield from typescript_definitions(file, _text(file))


def replacement(definition: Definition) -> str | None:
    """The name to use for a definition whose name was given up."""
    for folder, names in OLD_NAMES.items():
        if (not folder or definition.file.startswith(folder + "/")) and definition.name in names:
            return names[definition.name]
    return None


def old_modules() -> list[str]:
    """Modules that stand where they no longer belong."""
    found = []
    for line in re.sub(r"\n\s{8}", " ", OLD_MODULES).strip().splitlines():
        package, _, names = line.partition(":")
        folder = ROOT / "src" / "tallow" / package.strip().replace(".", "/")
        found += [
            str(folder.relative_to(ROOT) / f"{name}.py")
            for name in names.split()
            if (folder / f"{name}.py").exists()
        ]
    return found


def old_definitions() -> list[str]:
    """Definitions whose name was given up, each with the name to use."""
    return [
        f"{found.file}:{found.line}: {found.name} -> {new}"
        for found in definitions()
        if (new := replacement(found)) is not None
    ]


_METAPHOR = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(METAPHORS)})(?![A-Za-z])", re.IGNORECASE)
_READ = {
    *(".py", ".ts", ".tsx", ".css", ".html", ".sh", ".md", ".txt", ".tmpl"),
    *(".toml", ".yml", ".yaml", ".json", ""),
}
"""Suffixes of the files that are searched; scripts have none."""


def metaphors_in(text: str) -> Iterator[tuple[int, str]]:
    """Each metaphor of a text: its line and the line's text. An underscore ends a word, as a space does."""
    for number, line in enumerate(text.splitlines(), 1):
        if _METAPHOR.search(line):
            yield number, line.strip()


def metaphors() -> list[str]:
    """Every metaphor in the project's sources, tests and documents."""
    return [
        f"{file}:{number}: {line[:160]}"
        for file in files(*FOLDERS, *DOCUMENTS)
        if Path(file).suffix in _READ
        for number, line in metaphors_in(without_exempt(file, _text(file)))
    ]


def without_exempt(file: str, text: str) -> str:
    """The text of a file without what is exempt in it."""
    for name, (ignored, _) in EXEMPT.items():
        if file == name or (name.endswith("/") and file.startswith(name)):
            text = re.sub(ignored, "", text)
    return text


def _text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8", errors="replace")


def test_no_module_stands_in_its_old_place() -> None:
    assert old_modules() == []


def test_no_definition_has_an_old_name() -> None:
    assert old_definitions() == []


def test_no_metaphor_is_used() -> None:
    assert metaphors() == []


@pytest.mark.parametrize("name", EXEMPT)
def test_each_exemption_is_needed(name: str) -> None:
    assert any(any(metaphors_in(_text(file))) for file in files(name))


@pytest.mark.parametrize(
    "source",
    [
        "class Lobby: pass",
        "def lend(): pass",
        "class A:\n  def lend(self): pass",
        "class A:\n  lend: int = 0",
        "class A:\n  def __init__(self):\n    self.lend = 0",
        "lend = 1",
        "def f():\n  def lend(): pass",
    ],
)
def test_each_kind_of_definition_is_found(source: str) -> None:
    assert [found for found in python_definitions("src/a.py", source) if replacement(found)]


@pytest.mark.parametrize("source", ["def f(lend): pass", "def f():\n  lend = 1", "lend()", "import lend"])
def test_a_use_is_no_definition(source: str) -> None:
    assert not [found for found in python_definitions("src/a.py", source) if replacement(found)]


def test_typescript_is_read() -> None:
    found = typescript_definitions("web/viewer/src/kind.ts", "export function Board() {}\nconst a = ago(1)\n")
    assert [(each.line, each.name) for each in found if replacement(each)] == [(1, "kind"), (1, "Board")]


@pytest.mark.parametrize("text", ["the lobby", "a_seat_of", "Said so", "what the dead left"])
def test_a_metaphor_is_found(text: str) -> None:
    assert list(metaphors_in(f"first\n{text}")) == [(2, text)]


@pytest.mark.parametrize("text", ["desktop", "a dead process", "gaside", "unsaid"])
def test_a_part_of_another_word_is_no_metaphor(text: str) -> None:
    assert not list(metaphors_in(text))
