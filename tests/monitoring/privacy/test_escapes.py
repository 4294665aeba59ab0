"""Escapes in long texts: what a short text would lose is lost from a long one, and nothing beside it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from support.privacy.corpus import samples, shown
from tallow.monitoring.privacy import Scrubber
from tallow.monitoring.privacy.escapes import views

SCRUBBER = Scrubber()
PLAIN = "".join(f"line {number} of a log with nothing to hide\n" for number in range(200))


@pytest.mark.parametrize("before", ["", PLAIN])
@pytest.mark.parametrize("after", ["", "\n" + PLAIN])
def test_an_escaped_value_is_found_wherever_it_stands(before: str, after: str) -> None:
    for text in (quote("ann@mail.example", safe=""), r"ann\u0040mail.example", "ann&#64;mail.example"):
        scrubbed = SCRUBBER.text(f"{before}from {text} to nobody{after}")
        assert scrubbed == f"{before}from [email] to nobody{after}"


def test_every_escaped_sample_of_the_corpus_comes_out_of_a_long_text_as_of_a_short_one() -> None:
    found = [one for one in samples("private", 8) if isinstance(one.value, str) and any(views(one.value))]
    assert len(found) > 20
    for sample in found:
        scrubbed = SCRUBBER.text(f"{PLAIN}\n{sample.value}\n\n{PLAIN}")
        assert not sample.leaks(shown(scrubbed).replace(PLAIN, ""))


def test_a_long_text_is_unescaped_where_it_has_escapes_alone() -> None:
    text = f"{PLAIN}key:\n%41%42\nc%44\n{PLAIN}%45\n"
    assert [view.text for view in views(text)] == ["key:\nAB\ncD\n", f"{PLAIN.splitlines()[-1]}\nE\n"]


def test_the_way_back_leads_to_the_original() -> None:
    text = f"{PLAIN}x%2541y\n"
    once, twice = views(text)
    start = twice.text.index("A")
    ((begin, end, _, _),) = twice.back([(start, start + 1, "email", "email-address")])
    assert text[begin:end] == "%2541"
    assert once.text.endswith("x%41y\n")


def test_the_colours_of_a_terminal_hide_nothing() -> None:
    for text in (
        "\x1b[33mpassword\x1b[0m=maple39walnut439 rc=1",
        "\x1b[90mpeer\x1b[0m=\x1b[36m198.51.100.21\x1b[0m",
    ):
        scrubbed = SCRUBBER.text(text)
        assert "maple" not in scrubbed
        assert "198" not in scrubbed
        assert scrubbed.startswith(text[:10])
