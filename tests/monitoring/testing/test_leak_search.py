"""The search finds a secret in every encoding and at every offset, and nothing else."""

from __future__ import annotations

import base64
import gzip
import html
import json
import quopri
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tallow.monitoring.testing import assert_absent, find_leaks, find_leaks_in_files

SECRET = "Zoë's key <7f3a/9?>"
OTHERS = ["Zoë's key <7f3a/9?!", "nothing here"]


def encoded(around: str) -> Callable[[bytes], bytes]:
    return lambda secret: base64.b64encode(around.encode() + secret + around.encode())


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "raw": lambda secret: secret,
    "percent": lambda secret: quote(secret).encode(),
    "percent, upper case": lambda secret: quote(secret, safe="").encode().upper(),
    "form": lambda secret: quote_plus(secret, safe="+").replace("+", "%20").encode(),
    "json": lambda secret: json.dumps(secret.decode()).encode(),
    "json, not ascii": lambda secret: json.dumps(secret.decode(), ensure_ascii=False).encode(),
    "base64, 0": encoded(""),
    "base64, 1": encoded("x"),
    "base64, 2": encoded("xy"),
    "base64 of urls": lambda secret: base64.urlsafe_b64encode(b"abc" + secret),
    "utf-16": lambda secret: secret.decode().encode("utf-16"),
    "utf-16, big": lambda secret: secret.decode().encode("utf-16-be"),
    "utf-32": lambda secret: secret.decode().encode("utf-32"),
    "hex": lambda secret: secret.hex().encode(),
    "hex, upper case": lambda secret: secret.hex().upper().encode(),
    "html": lambda secret: html.escape(secret.decode()).encode(),
    "quoted-printable": quopri.encodestring,
    "gzip": lambda secret: gzip.compress(b"a line\n" + secret),
    "gzip in gzip": lambda secret: gzip.compress(gzip.compress(b"a line\n" + secret)),
    "reversed": lambda secret: secret[::-1],
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_every_form(form: str) -> None:
    content = b"before " + FORMS[form](SECRET.encode()) + b" after"
    assert find_leaks([SECRET], content)
    with pytest.raises(AssertionError, match="found: "):
        assert_absent([SECRET], "harmless", content)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", OTHERS)
def test_other_values_are_not_found(form: str, other: str) -> None:
    assert find_leaks([SECRET], FORMS[form](other.encode())) == []


def test_keys_and_values_of_records_are_searched() -> None:
    assert find_leaks([SECRET], {"outer": [{"inner": SECRET}]})
    assert find_leaks(["canary7f3a"], {"outer": {"canary7f3a": 1}})
    assert find_leaks(["canary7f3a"], {"outer": {"x": 1}}) == []


def test_files_are_searched_by_name_and_content(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "log.gz").write_bytes(gzip.compress(b"it was canary7f3a"))
    (tmp_path / "canary7f3a.txt").write_text("empty")
    (tmp_path / "fine.txt").write_text("fine")
    assert find_leaks_in_files(["canary7f3a"], tmp_path) == [
        "canary7f3a.txt: canary7f3a (as it is) in its name",
        "deep/log.gz: canary7f3a (as it is)",
    ]


def test_a_secret_that_is_too_short_is_rejected() -> None:
    with pytest.raises(ValueError, match="at least 6 characters"):
        find_leaks(["abc"], "abc")
