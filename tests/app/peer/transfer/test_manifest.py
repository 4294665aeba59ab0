"""Manifest and answer: strict parsing of all input."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.crypto.errors import MalformedError
from tallow.app.files.attributes import Attributes
from tallow.app.files.source_tree import collect
from tallow.app.peer.errors import PeerError
from tallow.app.peer.transfer import prepare
from tallow.app.peer.transfer.manifest import (
    FolderEntry,
    LinkEntry,
    Manifest,
    ManifestEntry,
    ResumeOffer,
)

DIGEST = "ab" * 32
TIME = "1700000000.123456789"
FILE = {"file": "a/b.txt", "size": 5, "sha256": DIGEST, "mode": 0o640, "modified": TIME}
FOLDER = {"folder": "a", "mode": 0o750, "modified": TIME}
LINK = {"link": "a/c.txt", "target": "b.txt"}
PRIVATE = Attributes(0o600, -1, sparse=True)
MANIFEST = Manifest(
    (ManifestEntry("a", 5, bytes(32), PRIVATE), ManifestEntry("b", 0, bytes(32))),
    (FolderEntry("c", Attributes(0o500, 1)),),
    (LinkEntry("c/x", "y"),),
)


def lines(*entries: Any) -> bytes:
    return b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)


def test_manifest_and_answer_round_trip() -> None:
    assert Manifest.decode(MANIFEST.encode()) == MANIFEST
    accept = ResumeOffer({0: 3}, frozenset({1}))
    assert ResumeOffer.decode(accept.encode(), MANIFEST) == accept


def test_a_valid_manifest_is_read() -> None:
    found = Manifest.decode(lines(FILE, FOLDER, LINK))
    assert found.files[0].attributes == Attributes(0o640, 1700000000123456789)
    assert (found.folders[0].name, found.links[0].target) == ("a", "b.txt")


def test_a_text_is_one_file() -> None:
    assert Manifest.decode(lines({"text": True}, FILE)).is_text
    with pytest.raises(MalformedError, match="a text is one file"):
        Manifest.decode(lines({"text": True}, FILE, FILE))


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [{}],
        [FILE | {"more": 1}],
        [FILE | {"file": ""}],
        [FILE | {"file": "x" * 4097}],
        [FILE | {"file": 7}],
        [FILE | {"size": -1}],
        [FILE | {"size": 2**53 + 1}],
        [FILE | {"size": 1.5}],
        [FILE | {"size": True}],
        [FILE | {"sha256": DIGEST.upper()}],
        [FILE | {"sha256": DIGEST[:-2]}],
        [FILE | {"mode": 0o4755}],
        [FILE | {"mode": -1}],
        [FILE | {"mode": "0644"}],
        [FILE | {"modified": 1700000000}],
        [FILE | {"modified": "1700000000.5"}],
        [FILE | {"modified": "99999999999999999999.000000000"}],
        [FILE | {"sparse": 1}],
        [{name: value for name, value in FILE.items() if name != "mode"}],
        [FOLDER | {"mode": 0o1777}],
        [LINK],
        [FILE, LINK | {"target": "../../etc/passwd"}],
        [FILE, LINK | {"target": "/etc/passwd"}],
        [FILE, LINK | {"target": ".."}],
        [FILE, LINK | {"target": ""}],
        [FILE, LINK | {"link": "top", "target": "b.txt"}],
        [FILE, {"text": False}],
        ["file"],
        [[[]]],
    ],
)
def test_an_invalid_manifest_is_refused(entries: Any) -> None:
    with pytest.raises(MalformedError):
        Manifest.decode(lines(*entries))


def test_a_manifest_with_too_many_entries_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallow.app.peer.transfer.manifest.MAX_ENTRIES", 3)
    assert len(Manifest.decode(lines(*[FILE] * 3)).files) == 3
    with pytest.raises(MalformedError, match="at most 3"):
        Manifest.decode(lines(*[FILE] * 4))


@pytest.mark.parametrize(
    "document",
    [
        b"[[]," * 1_000_000,
        b'{"file":' * 500_000,
        b"[" * 4_000_000,
        b"1" * 4_000_000 + b"\n",
        b'"' + b"x" * 4_000_000,
    ],
    ids=["lists", "objects", "brackets", "number", "text"],
)
def test_a_hostile_manifest_takes_little_memory(document: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError):
            Manifest.decode(document)
        assert tracemalloc.get_traced_memory()[1] < len(document) / 4
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "document",
    [
        b'{"have": [' + b"[]," * 1_000_000 + b'[]], "done": ""}',
        b'{"have": [], "done": ' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
        b'{"have": [], "done": [' + b"1," * 1_000_000 + b"1]}",
        b'{"have": [], "done": {' + b'"":{' * 1_000_000,
    ],
)
def test_a_hostile_answer_is_not_parsed(document: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError, match="the answer to the manifest is"):
            ResumeOffer.decode(document, MANIFEST)
        assert tracemalloc.get_traced_memory()[1] < 100_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "answer",
    [
        {"have": []},
        {"have": [[0, 6]], "done": ""},
        {"have": [[2, 0]], "done": ""},
        {"have": [[0, -1]], "done": ""},
        {"have": [[0]], "done": ""},
        {"have": [0], "done": ""},
        {"have": [["0", 1]], "done": ""},
        {"have": [], "done": "20"},
        {"have": [], "done": "0"},
        {"have": [], "done": "xy"},
        {"have": [], "done": [1]},
        {"have": {}, "done": ""},
    ],
)
def test_an_answer_that_does_not_fit_is_refused(answer: Any) -> None:
    with pytest.raises(MalformedError):
        ResumeOffer.decode(json.dumps(answer).encode(), MANIFEST)


@given(st.frozensets(st.integers(0, 1000)))
def test_every_set_of_complete_files_round_trips(complete: frozenset[int]) -> None:
    manifest = Manifest(tuple(ManifestEntry(str(number), 0, bytes(32)) for number in range(1001)))
    assert ResumeOffer.decode(ResumeOffer({}, complete).encode(), manifest).complete_files == complete


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_malformed_error(document: bytes) -> None:
    for decode in (Manifest.decode, lambda text: ResumeOffer.decode(text, MANIFEST)):
        with pytest.raises(MalformedError):
            decode(document)


@pytest.mark.parametrize(
    ("limit", "value", "problem"),
    [
        ("MAX_ENTRIES", 1, "2 files, folders and links were given; accepted: up to 1"),
        ("MAX_NAME", 3, "has 4 characters; accepted: up to 3"),
        ("MAX_SIZE", 2, "has 3 bytes; accepted: up to 2"),
        ("MAX_BYTES", 50, "the list of all names has"),
    ],
)
def test_a_sender_checks_the_limits_that_every_receiver_enforces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, problem: str
) -> None:
    for name in ("aaaa", "bbbb"):
        (tmp_path / name).write_text("xyz")
    tree = collect([tmp_path / "aaaa", tmp_path / "bbbb"])
    monkeypatch.setattr(prepare, limit, value)
    with pytest.raises(PeerError, match=problem):
        prepare.check_manifest_limits(tree)
