"""Whatever comes in, nothing raises, and a known secret does not survive a change of its surroundings."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.privacy.samples import Samples
from tallow.monitoring.privacy import DROPPED, Scrubber

pytestmark = pytest.mark.slow

SCRUBBER = Scrubber()

SHAPED = [
    "«email»",
    "«ip4»",
    "«card»",
    "«iban»",
    "«jwt»",
    "«mac»",
    "ghp_«an,36»",
    "AKIA«up,16»",
    "sk_live_«an,24»",
    "glpat-«an,20»",
    "xoxb-«dig,12»-«dig,12»-«an,24»",
    "sk-proj-«an,48»",
    "npm_«an,36»",
    "postgres://app:«an,16»@db.example.net:5432/x",
]
"""Secrets that are told by their look, wherever they stand."""
EDGES = st.sampled_from(
    ["", *" \n\t'\"()[]<>,;|`{}…→", "\u00a0", "\u2003", "\u3000"]
)  # fmt: skip
JOINED = "-_.@+%:/#\\&=~$^*!?'\u2018\u2019"
"""Marks that may belong to a value: what touches them may be another value."""
WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "L", "N"], exclude_characters=JOINED), max_size=6
)
ESCAPES: dict[str, Callable[[str], str]] = {
    "none": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "json": json.dumps,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "html": html.escape,
    "bytes": lambda text: repr(text.encode()),
    "upper key": lambda text: f"VALUE={text}",
    "query": lambda text: f"/x?a=1&v={quote(text, safe='')}&b=2",
}
KEYS = [
    "password",
    "api_key",
    "client_secret",
    "accessToken",
    "X-Auth-Token",
    "sessionid",
    "room_code",
    "passphrase",
]
NAMED = {
    "equals": "{key}={value}",
    "colon": "{key}: {value}",
    "json": '{{"{key}": "{value}"}}',
    "escaped json": '{{\\"{key}\\": \\"{value}\\"}}',
    "python": "{{'{key}': '{value}'}}",
    "query": "?a=1&{key}={value}&b=2",
    "option": "run --{key} {value}",
    "tag": "<{key}>{value}</{key}>",
    "call": "f({key}='{value}')",
    "arrow": '"{key}" => "{value}"',
}


def secret(form: str, seed: int) -> tuple[str, str]:
    """A text and what must not be left of it."""
    text = Samples(seed).fill(form)
    return text, text.split("//app:")[-1].split("@db")[0] if "//app:" in text else text


@given(st.text())
@settings(max_examples=300)
def test_no_text_raises_or_is_dropped(text: str) -> None:
    assert (
        SCRUBBER.text(text) != DROPPED or text == DROPPED
    )  # Hypothesis tries the constants it reads in code
    assert SCRUBBER.read(text) is not None


@given(st.text(alphabet="ab0 1:=.-_/@#%\\\"'{}[]()<>&+~$;,\n", max_size=120))
@settings(max_examples=500)
def test_no_text_of_marks_raises(text: str) -> None:
    assert SCRUBBER.read(text) is not None


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=12), inner, max_size=4)
        | st.tuples(inner)
    ),
    max_leaves=20,
)


@given(nested)
@settings(max_examples=200)
def test_no_record_raises_or_changes_its_shape(record: Any) -> None:
    scrubbed = SCRUBBER.value(record)
    if isinstance(record, (dict, list, tuple)):
        assert type(scrubbed) is type(record)
        assert len(scrubbed) == len(record)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize("form", SHAPED)
@given(before=WORDS, left=EDGES, right=EDGES, after=WORDS, seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_a_secret_does_not_survive_a_change_of_surroundings(
    escape: str, form: str, before: str, left: str, right: str, after: str, seed: int
) -> None:
    text, private = secret(form, seed)
    written = ESCAPES[escape](f"{before}{left}{text}{right}{after}")
    assert private not in SCRUBBER.text(written)
    assert ESCAPES[escape](private).strip('"') not in SCRUBBER.text(written)


@pytest.mark.parametrize("way", NAMED)
@pytest.mark.parametrize("key", KEYS)
@given(seed=st.integers(0, 10_000), edge=st.sampled_from(["", "\n", "; ", ", "]), upper=st.booleans())
@settings(max_examples=10)
def test_a_named_secret_does_not_survive(way: str, key: str, seed: int, edge: str, upper: bool) -> None:
    value = Samples(seed).fill("an,20")
    name = key.upper() if upper and key.islower() else key
    text = f"x{edge or ' '}{NAMED[way].format(key=name, value=value)}{edge}"
    assert value not in SCRUBBER.text(text)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30)
def test_neighbours_do_not_shield_each_other(seed: int) -> None:
    source = Samples(seed)
    values = [source.fill(form) for form in SHAPED[:-1]]
    text = SCRUBBER.text(", ".join(values))
    assert [value for value in values if value in text] == []
