"""Shapes of harmless texts: a warm scrubber says of every text what a cold one says."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.corpus import samples
from support.heldout import heldout
from tallow.monitoring.privacy import Scrubber, shapes
from tallow.monitoring.privacy.shapes import Shapes


def cold(value: Any) -> Any:
    return Scrubber().value(value)


def warmed(*values: Any) -> Scrubber:
    """A scrubber that has read the values often enough to remember what there is to remember."""
    scrubber = Scrubber()
    for _ in range(3):
        for value in values:
            scrubber.value(value)
    return scrubber


def vouch(known: Shapes, text: str) -> None:
    octets = text.encode().translate(shapes.DIGITS)
    known.vouch(hash(octets), octets)


@pytest.fixture(scope="module")
def seasoned() -> Scrubber:
    """A scrubber that has seen the whole corpus, several times over, in other values."""
    scrubber = Scrubber()
    for seed in (1, 1, 2, 3):
        for group in ("harmless", "private"):
            for sample in samples(group, seed):
                scrubber.value(sample.value)
    return scrubber


@pytest.mark.parametrize("seed", [1, 2, 5])
@pytest.mark.parametrize("group", ["private", "harmless"])
def test_what_was_seen_before_changes_no_verdict(seasoned: Scrubber, group: str, seed: int) -> None:
    for sample in samples(group, seed):
        assert seasoned.value(sample.value) == cold(sample.value)


def test_nor_does_it_in_other_surroundings(seasoned: Scrubber) -> None:
    for sample in heldout(3):
        assert seasoned.value(sample.value) == cold(sample.value)


def test_nor_with_other_digits() -> None:
    source = random.Random(4)
    for sample in samples("harmless", 4):
        if not isinstance(sample.value, str):
            continue
        scrubber = warmed(sample.value)
        for _ in range(5):
            text = re.sub(r"[0-9]", lambda _: str(source.randrange(10)), sample.value)
            assert scrubber.text(text) == cold(text)


@given(st.text("0123456789:.-/ abefx", max_size=20), st.randoms(use_true_random=False))
def test_no_digits_make_a_shape_private(text: str, source: random.Random) -> None:
    scrubber = warmed(text)
    other = re.sub("[0-9]", lambda _: str(source.randrange(10)), text)
    assert scrubber.text(other) == cold(other)


@pytest.mark.parametrize(
    ("harmless", "private"),
    [
        ("v2 to=ann%20host.example", "v2 to=ann%40host.example"),
        (r"v2 to ann\u0020host.example", r"v2 to ann\u0040host.example"),
        ("v2 to ann&#32;host.example", "v2 to ann&#64;host.example"),
        ("v2 to ann=20host.example", "v2 to ann=40host.example"),
        ("listens on 127.0.0.1", "listens on 198.7.4.2"),
    ],
)
def test_a_neighbour_of_private_values_vouches_for_none(harmless: str, private: str) -> None:
    assert warmed(harmless).text(private) == cold(private) != private


def test_a_shape_is_harmless_from_its_second_text_on_and_all_rules_have_read_others_like_it() -> None:
    read: list[str] = []

    def nothing_private(text: str) -> bool:
        read.append(text)
        return True

    known = Shapes(nothing_private)
    vouch(known, "/rooms/4711/status")
    assert not known.harmless
    assert not read
    vouch(known, "/rooms/0815/status")
    assert len(known.harmless) == 1
    assert len(read) >= 5
    assert {re.sub("[0-9]", "0", text) for text in read} == {"/rooms/0000/status"}


def test_a_shape_with_something_private_in_one_of_its_texts_is_not() -> None:
    known = Shapes(lambda text: "9" not in text)
    for _ in range(3):
        vouch(known, "code 1234")
    assert not known.harmless


@pytest.mark.parametrize("text", ["a 1234567 b", "a.b.c.d", "12-34-56 7"])
def test_many_digits_or_dots_vouch_for_nothing(text: str) -> None:
    known = Shapes(lambda _: True)
    for _ in range(3):
        vouch(known, text)
    assert not known.harmless


def test_a_text_under_a_key_that_vouches_for_it_vouches_for_none() -> None:
    scrubber = warmed({"version": "the build of 1.2"})
    assert not scrubber._shapes._met


def test_a_harmless_shape_is_read_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    scrubber = warmed(
        {"message": "Chunk 12 sent", "route": "/rooms/4711", "id": 7, "ratio": 0.5, "none": None}
    )

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("tallow.monitoring.privacy.scrubber.find", never)
    seen = {
        "message": "Chunk 98 sent",
        "route": "/rooms/0815",
        "id": 9,
        "ratio": 1.5,
        "none": "0af7651916cd43dd8448eb211c80319c",
    }
    scrubbed = scrubber.value(seen)
    assert scrubbed == seen
    assert scrubbed is not seen


def test_what_is_remembered_is_bounded_and_is_no_text() -> None:
    scrubber = Scrubber()
    for number in range(3 * shapes.REMEMBERED):
        word = "".join(chr(97 + number // 26**place % 26) for place in range(4))
        for _ in range(3):
            scrubber.text(f"the word {word}: all well")
    known = scrubber._shapes
    assert 0 < len(known.harmless) <= shapes.REMEMBERED
    assert 0 < len(known._met) <= shapes.REMEMBERED
    assert {type(shape) for shape in known.harmless | known._met} == {int}


def test_a_time_in_milliseconds_is_seen_at_a_glance_and_a_card_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scrubber = warmed({"ts": 1, "n": 2})
    assert scrubber.value({"ts": 1, "n": 4_222_222_222_222}) == {"ts": 1, "n": "[card]"}
    monkeypatch.delattr("tallow.monitoring.privacy.scrubber.Walk")
    assert scrubber.value({"ts": 1_795_679_160_123, "n": 5}) == {"ts": 1_795_679_160_123, "n": 5}


def test_a_long_text_vouches_for_nothing() -> None:
    scrubber = warmed("all is well, " * 6)
    assert not scrubber._shapes.harmless
    assert not scrubber._shapes._met
