"""Records of any shape are read, with bounded work, and left as they were."""

from __future__ import annotations

import collections
import copy
import dataclasses
import datetime as dt
import decimal
import enum
import ipaddress
import json
import math
import uuid
from pathlib import PurePosixPath
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

from tallow.monitoring.privacy import DROPPED, Scrubber


class Login(BaseModel):
    name: str
    password: str


class Pair(NamedTuple):
    host: str
    token: str


class Colour(enum.Enum):
    RED = "red"


class Size(enum.IntEnum):
    LARGE = 3


class Address(enum.Enum):
    ADMIN = "ann@mail.example"


class Text(str):
    __slots__ = ()

    def __str__(self) -> str:
        raise RuntimeError


class Hostile:
    def __repr__(self) -> str:
        raise RuntimeError("ann@mail.example")

    __str__ = __repr__


def scrub(value: Any) -> Any:
    return Scrubber().value(value)


def test_the_callers_data_is_unchanged() -> None:
    record = {"a": [{"password": "hunter2"}, ("x", b"ann@mail.example")], "auth": ["ann", "hunter2"]}
    before = copy.deepcopy(record)
    assert "hunter2" not in repr(scrub(record))
    assert record == before


def test_shapes_are_kept() -> None:
    value = {"list": [1, "ann@mail.example"], "pair": (1, 2), "set": {1}}
    scrubbed = {"list": [1, "[email]"], "pair": (1, 2), "set": {1}}
    assert scrub(value) == scrubbed


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        17,
        -1.5,
        10**40,
        "",
        (),
        frozenset({1}),
    ],
)
def test_harmless_values_are_handed_back(value: Any) -> None:
    assert scrub(value) == value
    assert scrub({"a": value}) == {"a": value}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (decimal.Decimal("1.50"), "1.50"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (dt.date(2026, 11, 24), "2026-11-24"),
        (dt.time(16, 14, 25), "16:14:25"),
        (dt.datetime(2026, 11, 24, 16, 14, tzinfo=dt.UTC), "2026-11-24T16:14:00+00:00"),
        (dt.timedelta(minutes=1, milliseconds=500), 60.5),
        (b"ann@mail.example", "[16 bytes]"),
        (bytearray(b"\xff\xfe"), "[2 bytes]"),
        (memoryview(b""), "[0 bytes]"),
        (Colour.RED, "red"),
        (Size.LARGE, 3),
        (2 + 1j, "(2+1j)"),
        ("half \ud83d of a pair", "half � of a pair"),
        ({"\udc00": 1}, {"�": 1}),
        (collections.deque([1, "ann@mail.example"]), [1, "[email]"]),
        ({"a": 1}.values(), [1]),
        (ipaddress.ip_address("203.0.113.9"), "[ip]"),
        (1 + 1e-9, 1 + 1e-9),
    ],
)
def test_a_value_without_a_form_in_json_is_written_as_one_expects(value: Any, written: Any) -> None:
    neighbours = {"before": 1, "value": value, "after": ["x", value]}
    assert scrub(value) == written
    assert scrub(neighbours) == {"before": 1, "value": written, "after": ["x", written]}
    json.dumps(scrub(neighbours))
    assert scrub({"password": value}) != {"password": written} or isinstance(written, dict)


def test_not_a_number_stays() -> None:
    assert math.isnan(scrub({"p99": math.nan})["p99"])


def test_a_container_in_itself_is_named() -> None:
    circle: list[Any] = []
    circle.append(circle)
    ring: dict[str, Any] = {}
    ring["again"] = ring
    assert scrub(circle) == ["[cycle]"]
    assert scrub(ring) == {"again": "[cycle]"}


def test_a_value_twice_is_no_cycle() -> None:
    shared = {"n": 1}
    assert scrub([shared, shared]) == [shared, shared]


def test_depth_is_bounded() -> None:
    deep: Any = "ann@mail.example"
    for _ in range(5000):
        deep = [deep]
    assert "ann" not in repr(scrub(deep))


@pytest.mark.parametrize(
    "many", [list(range(100_000)), {str(n): n for n in range(100_000)}, set(range(100_000))]
)
def test_size_is_bounded(many: Any) -> None:
    scrubbed = scrub(many)
    assert len(scrubbed) < 30_000
    assert DROPPED in scrubbed


def test_long_texts_are_cut_between_values_and_say_so() -> None:
    scrubbed = scrub("ann@mail.example " * 100_000)
    assert scrubbed.endswith(DROPPED)
    assert "ann" not in scrubbed


def test_a_value_that_cannot_be_read_is_dropped_and_the_rest_kept() -> None:
    assert scrub({"a": Hostile(), "b": 1}) == {"a": DROPPED, "b": 1}
    assert scrub(Hostile()) == DROPPED


def test_a_mapping_that_fails_is_dropped() -> None:
    class Broken(collections.UserDict[str, str]):
        def items(self) -> Any:
            raise RuntimeError("ann@mail.example")

    assert scrub({"a": Broken(x="y")}) == {"a": DROPPED}


def test_an_exception_whose_text_fails_is_dropped() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise ValueError("ann@mail.example")

    assert scrub({"error": OddError()}) == {"error": DROPPED}


def test_subclasses_are_read_as_what_they_are() -> None:
    ordered = collections.OrderedDict(password="hunter2")
    assert scrub(ordered) == {"password": "[secret]"}
    assert scrub(collections.defaultdict(list, email=["ann@mail.example"])) == {"email": ["[email]"]}
    assert scrub(collections.deque(["ann@mail.example"], 3)) != ["ann@mail.example"]
    assert scrub(Text("ann@mail.example")) == "[email]"


def test_models_are_read_by_their_fields() -> None:
    @dataclasses.dataclass
    class Account:
        name: str
        password: str

    assert scrub(Account("x", "hunter2")) == {"name": "x", "password": "[secret]"}
    assert scrub(Login(name="x", password="hunter2")) == {"name": "x", "password": "[secret]"}
    assert scrub(Pair("db", "8f7sd6f87s6df")) == Pair("db", "[secret]")


def test_members_of_enumerations_are_read() -> None:
    assert scrub({"a": Address.ADMIN, "b": Colour.RED}) == {"a": "[email]", "b": "red"}


def test_exceptions_are_read() -> None:
    assert scrub(ValueError("ann@mail.example")) == "ValueError: [email]"
    assert scrub({"exc": KeyError("password=hunter2")}) == {"exc": "KeyError: 'password=[secret]'"}


def test_paths_and_types_are_named() -> None:
    assert scrub(PurePosixPath("/home/annlee/x")) == "/home/[path]/x"
    assert scrub(Hostile).endswith(".Hostile")


def test_keys_of_any_type_are_read() -> None:
    assert scrub({1: "a", None: "b", ("ann@mail.example",): "c"}) == {
        "1": "a",
        "None": "b",
        "('[email]',)": "c",
    }
    assert scrub({"ann@mail.example": 1, "bob@mail.example": 2}) == {"[email]": 1, "[email]'": 2}


def test_sets_keep_to_sets_where_they_can() -> None:
    assert scrub({"ann@mail.example"}) == {"[email]"}
    assert scrub(frozenset({("x", 1)})) == frozenset({("x", 1)})


def test_options_of_commands_speak_for_what_follows() -> None:
    assert scrub(["run", "--password", "hunter2", "--n", "3"]) == [
        "run",
        "--password",
        "[secret]",
        "--n",
        "3",
    ]


def test_pairs_speak_by_their_first() -> None:
    headers = [
        ("Authorization", "Bearer 8f7sd6f87s6df"),
        (b"cookie", b"sid=8f7sd6f87s6df"),
        ("accept", "*/*"),
    ]
    assert scrub(headers) == [
        ("Authorization", "[credential]"),
        ("cookie", "[cookie]"),
        ("accept", "*/*"),
    ]


def test_what_keys_mean_is_remembered_within_bounds() -> None:
    scrubber = Scrubber()
    for number in range(20_000):
        scrubber.value({f"key_{number}": 1})
    assert len(scrubber.keys._found) <= 4096
    assert len(scrubber._plain_names) <= 4096
    assert len(scrubber.harmless) <= 4096


def test_no_value_is_remembered() -> None:
    scrubber = Scrubber()
    scrubber.value(
        {"message": "ann@mail.example 203.0.113.7", "note": "8f7sd6f87s6df", "ann@mail.example": 1}
    )
    kept = repr((scrubber.harmless, scrubber._plain_names, scrubber._clean))
    assert "ann@mail" not in kept
    assert "8f7sd6f87s6df" not in kept
