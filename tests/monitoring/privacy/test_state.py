"""The output depends on the input and the configuration alone: any history, any order, any thread."""

from __future__ import annotations

import random
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.privacy.corpus import samples
from support.privacy.heldout_corpus import heldout_samples
from tallow.monitoring.privacy import Scrubber

pytestmark = pytest.mark.slow

PIECES = [
    "Chunk 12 sent",
    "Chunk 4711 sent",
    "v2 to=ann%20host.example",
    "v2 to=ann%40host.example",
    "v2 to ann&#64;host.example",
    "listens on 127.0.0.1",
    "listens on 198.7.4.2",
    "call 0171 2345678",
    "call 9999 9999999",
    "id 4111111111111111",
    "id 4111111111111112",
    "AUTH 1",
    "AUTH 123456",
    "password=x1",
    "status=x1",
    "0d9c1e57",
    "user 17",
    "user:17",
    "key 17",
    "1 1.1.1.1",
    "9.9.9.9 9",
    "2026-11-24 16:14:25",
    "415-555-0132",
    "078.05.1123",
    "ssn 078.05.1123",
    "AKIA0000000000000000",
]
texts = (
    st.sampled_from(PIECES)
    | st.text("0123456789:.-/ abefx=@%", max_size=24)
    | st.lists(st.sampled_from(PIECES), max_size=3).map(" ".join)
)
records = st.dictionaries(
    st.sampled_from(["password", "a", "message", "user", "n", "ann@mail.example"]), texts, max_size=4
)


def cold(value: Any) -> Any:
    """What a scrubber says that has seen nothing."""
    return Scrubber().value(value)


@pytest.fixture(scope="module")
def seasoned() -> Scrubber:
    """A scrubber that has seen the whole corpus, several times over, in other values."""
    scrubber = Scrubber()
    for seed in (1, 1, 2, 3):
        for group in ("harmless", "private"):
            for sample in samples(group, seed):
                scrubber.value(sample.value)
    return scrubber


@pytest.mark.parametrize("group", ["private", "harmless"])
def test_what_was_seen_before_changes_no_answer(seasoned: Scrubber, group: str) -> None:
    for sample in samples(group, 2):
        assert seasoned.value(sample.value) == cold(sample.value)


def test_nor_does_it_in_other_surroundings(seasoned: Scrubber) -> None:
    for sample in list(heldout_samples(3))[::7]:
        assert seasoned.value(sample.value) == cold(sample.value)


@given(history=st.lists(texts | records, max_size=12), value=texts | records)
@settings(max_examples=200)
def test_any_history_and_the_answer_is_the_same(history: list[Any], value: Any) -> None:
    scrubber = Scrubber()
    for one in history:
        scrubber.value(one)
    assert scrubber.value(value) == cold(value)


@given(text=texts, source=st.randoms(use_true_random=False))
@settings(max_examples=200)
def test_a_history_of_the_same_template_in_other_digits_misleads_nobody(
    text: str, source: random.Random
) -> None:
    scrubber = Scrubber()
    for _ in range(4):
        scrubber.value(re.sub("[0-9]", lambda _: str(source.randrange(10)), text))
    other = re.sub("[0-9]", lambda _: str(source.randrange(10)), text)
    assert scrubber.value(other) == cold(other)


def test_full_memories_change_no_answer() -> None:
    scrubber = Scrubber()
    for number in range(12_000):
        word = "".join(chr(97 + number // 26**place % 26) for place in range(4))
        scrubber.value({f"field_{word}": f"the word {word}: all well /{word}/{number}"})
    for piece in PIECES:
        assert scrubber.value(piece) == cold(piece)


def test_threads_get_the_answers_of_one() -> None:
    scrubber = Scrubber()
    values = [sample.value for group in ("private", "harmless") for sample in samples(group, 4)][::5]
    expected = [cold(value) for value in values]
    ready = threading.Barrier(4)

    def work() -> list[Any]:
        ready.wait()
        return [scrubber.value(value) for value in values]

    with ThreadPoolExecutor(4) as pool:
        for found in [future.result() for future in [pool.submit(work) for _ in range(4)]]:
            assert found == expected


def test_a_failure_drops_one_record_only() -> None:
    class Failing:
        def __str__(self) -> str:
            raise RecursionError

        __repr__ = __str__

    scrubber = Scrubber()
    assert "password" not in str(scrubber.value([Failing()]))
    assert scrubber.value("Chunk 12 sent") == "Chunk 12 sent"
    assert scrubber.value({"a": Failing(), "n": 1})["n"] == 1
