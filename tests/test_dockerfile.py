"""The Dockerfile: what the classic builder accepts, and what an image needs for a hardened container."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if not line.startswith("#")]


def test_the_classic_builder_accepts_it() -> None:
    assert not re.search(r"^# *syntax *=", TEXT, re.MULTILINE)
    assert not [line for line in LINES if "--mount" in line or "--chmod" in line or "<<" in line]


def test_every_stage_starts_from_an_exact_version() -> None:
    stages = [line for line in LINES if line.startswith("FROM ")]
    assert stages == ["FROM ${PYTHON_IMAGE} AS build", "FROM ${PYTHON_IMAGE}"]
    assert re.search(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+$", TEXT, re.MULTILINE)


def test_the_user_is_a_number_and_not_root() -> None:
    users = [line for line in LINES if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]


def test_the_build_context_has_no_secret_and_no_history() -> None:
    rules = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"
    ]
    assert rules[0] == "*"
    allowed = {line[1:] for line in rules if line.startswith("!")}
    assert allowed == {
        "LICENSE",
        "docs/runbooks",
        "requirements/image.txt",
        "requirements/run.txt",
        "src/tallow",
        "wheels",
    }


def test_the_image_without_webrtc_leaves_out_what_only_webrtc_needs() -> None:
    text = (ROOT / "requirements" / "image.txt").read_text(encoding="utf-8")
    left_out = {"aiortc", "aioice", "av", "pylibsrtp", "pyopenssl"}
    named = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    assert named >= {"cryptography", "starlette"}
    assert named & left_out == set()
