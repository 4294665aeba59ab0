"""Manifest and answer: strict parsing of all input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.crypto.errors import MalformedError
from tallow.app.peer.transfer.manifest import MAX_FILES, Manifest, ManifestEntry, ResumeOffer

DIGEST = "ab" * 32
FILE = {"name": "a/b.txt", "size": 5, "sha256": DIGEST}
MANIFEST = Manifest((ManifestEntry("a", 5, bytes(32)), ManifestEntry("b", 0, bytes(32))))


def test_manifest_and_answer_round_trip() -> None:
    assert Manifest.decode(MANIFEST.encode()) == MANIFEST
    accept = ResumeOffer({0: 3}, frozenset({1}))
    assert ResumeOffer.decode(accept.encode(), MANIFEST) == accept


@pytest.mark.parametrize(
    "files",
    [
        [],
        {},
        [FILE] * (MAX_FILES + 1),
        [FILE | {"more": 1}],
        [FILE | {"name": ""}],
        [FILE | {"name": "x" * 4097}],
        [FILE | {"name": 7}],
        [FILE | {"size": -1}],
        [FILE | {"size": 2**53 + 1}],
        [FILE | {"size": 1.5}],
        [FILE | {"size": True}],
        [FILE | {"sha256": DIGEST.upper()}],
        [FILE | {"sha256": DIGEST[:-2]}],
        ["file"],
    ],
)
def test_an_invalid_manifest_is_refused(files: Any) -> None:
    with pytest.raises(MalformedError):
        Manifest.decode(json.dumps({"files": files}).encode())


@pytest.mark.parametrize(
    "answer",
    [
        {"have": []},
        {"have": [[0, 6]], "done": []},
        {"have": [[2, 0]], "done": []},
        {"have": [[0, -1]], "done": []},
        {"have": [[0]], "done": []},
        {"have": [0], "done": []},
        {"have": [["0", 1]], "done": []},
        {"have": [], "done": [2]},
        {"have": [], "done": [[]]},
        {"have": {}, "done": []},
    ],
)
def test_an_answer_that_does_not_fit_is_refused(answer: Any) -> None:
    with pytest.raises(MalformedError):
        ResumeOffer.decode(json.dumps(answer).encode(), MANIFEST)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_malformed_error(document: bytes) -> None:
    for decode in (Manifest.decode, lambda text: ResumeOffer.decode(text, MANIFEST)):
        with pytest.raises(MalformedError):
            decode(document)
