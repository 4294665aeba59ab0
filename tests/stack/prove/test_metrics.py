"""Sources of metrics: expositions, folders, addresses."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from support.registries import tallow_metrics
from tallow.monitoring.exposition.text import expose
from tallow.stack.prove.metrics.exposition import ExpositionError, parse_exposition
from tallow.stack.prove.metrics.source import SourceError, load_metrics

TEXT = """\
# HELP web_requests_total Requests.
# TYPE web_requests_total counter
web_requests_total{code="200",path="/a\\"b,}"} 5 1700000000000
web_requests_total{code="500",} 1
# TYPE web_latency_seconds histogram
web_latency_seconds_bucket{le="0.5"} 1 # {trace="a"} 0.3
web_latency_seconds_bucket{le="+Inf"} 2
web_latency_seconds_sum 1e-3
web_latency_seconds_count 2
# TYPE temperature gauge
temperature NaN
untyped_thing 3
"""


def test_names_types_labels_and_edges() -> None:
    known = parse_exposition(TEXT, "text").families
    requests, buckets = known["web_requests_total"], known["web_latency_seconds_bucket"]
    assert requests.labels == {"code": {"200", "500"}, "path": {'/a"b,}'}}
    assert (requests.is_cumulative, buckets.is_cumulative, buckets.last_edge) == (True, True, 0.5)
    assert known["temperature"].is_cumulative is False
    assert known["untyped_thing"].is_cumulative is None


def test_openmetrics_and_utf8_names() -> None:
    text = '# TYPE web_requests counter\nweb_requests_total{a="b"} 1\n{"a.b",c="d"} 1\n# EOF\n'
    known = parse_exposition(text, "text").families
    assert known["web_requests_total"].type == "counter"
    assert known["a.b"].labels == {"c": {"d"}}


def test_a_real_exposition_has_every_family() -> None:
    registry = tallow_metrics().registry
    known = parse_exposition(expose(registry).decode(), "tallow").families
    assert known["tallow_transfers_total"].labels["status"] == {"success", "failed", "cancelled"}
    assert known["tallow_transfer_duration_seconds_bucket"].last_edge == 7200


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "<html>\n", "name\n", "name 1 2 3\n", 'a{b="c" 1\n', "a b\n"]
)
def test_what_is_no_exposition(text: str) -> None:
    with pytest.raises(ExpositionError, match="exposition"):
        parse_exposition(text, "file")


@contextlib.contextmanager
def answering(answers: dict[str, tuple[int, str, str]]) -> Iterator[str]:
    """A server with answers (status, type, body) by path; of /api/v1/series, by the match."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            match = parse_qs(parts.query).get("match[]", [""])[0]
            status, kind, body = answers.get(parts.path + match, (404, "text/plain", "not found"))
            self.send_response(status)
            self.send_header("content-type", kind)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_request(self, code: object = "-", size: object = "-") -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_scrape_address() -> None:
    with answering({"/metrics": (200, "text/plain; version=0.0.4", TEXT)}) as url:
        known = load_metrics(f"{url}/metrics", ())
    assert not known.complete
    assert "temperature" in known.families


def test_a_prometheus_is_asked_for_the_labels_of_what_is_read() -> None:
    def answer(data: object) -> tuple[int, str, str]:
        return 200, "application/json", json.dumps({"status": "success", "data": data})

    answers = {
        "/api/v1/label/__name__/values": answer(["up", "web_requests_total"]),
        "/api/v1/metadata": answer({"web_requests_total": [{"type": "counter"}]}),
        '/api/v1/series{__name__="web_requests_total"}': answer(
            [{"__name__": "web_requests_total", "code": "200"}]
        ),
        "/api/v1/targets": answer({"activeTargets": [{"scrapeInterval": "1m"}, {"scrapeInterval": "15s"}]}),
    }
    with answering(answers) as url:
        known = load_metrics(url, ["web_requests_total", "gone"])
    assert known.complete
    assert known.families["web_requests_total"].labels == {"code": {"200"}}
    assert known.families["web_requests_total"].type == "counter"
    assert known.covers("gone")
    assert known.scrape_interval_seconds == 15


def test_a_folder_combines_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text('up_to{a="1"} 1\n')
    (tmp_path / "b.txt").write_text('# TYPE up_to gauge\nup_to{a="2",b="3"} 1\n')
    family = load_metrics(str(tmp_path), ()).families["up_to"]
    assert family.type == "gauge"
    assert family.labels == {"a": {"1", "2"}, "b": {"3"}}


def test_sources_that_cannot_be_read_are_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("<html>")
    (tmp_path / "folder").mkdir()
    with answering({}) as url:
        closed = url
        for source, message in (
            (str(tmp_path / "none"), "none: No such file or directory"),
            (str(tmp_path / "page.html"), "page.html:1: not a sample of an exposition"),
            (str(tmp_path / "folder"), "folder: the folder has no files"),
            (url.replace("//", "//user:secret@") + "/metrics?token=secret", "/metrics: answered 404"),
        ):
            with pytest.raises(SourceError) as error:
                load_metrics(source, ())
            assert str(error.value).endswith(message)
            assert "secret" not in str(error.value)
    with pytest.raises(SourceError, match="ConnectError: cannot be read"):
        load_metrics(closed, ())
    with pytest.raises(SourceError):
        load_metrics("http://[", ())
