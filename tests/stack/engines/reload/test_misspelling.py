"""Misspelled names of settings are detected."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.stack.engines.reload.misspelling import closest_name

KNOWN = ("LOG_LEVEL", "LOG_FILE", "SMTP_HOST", "SMTP_PASSWORD_FILE")


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("LOG_LEVL", "LOG_LEVEL"),
        ("LOG_LEVELS", "LOG_LEVEL"),
        ("OG_LEVEL", "LOG_LEVEL"),
        ("XLOG_LEVEL", "LOG_LEVEL"),
        ("LOG_LEVLE", "LOG_LEVEL"),
        ("OLG_LEVEL", "LOG_LEVEL"),
        ("LOG-LEVEL", "LOG_LEVEL"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("log_levl", "LOG_LEVEL"),
        ("SMTP_HSOT", "SMTP_HOST"),
        ("SMTP_PASWORD_FILE", "SMTP_PASSWORD_FILE"),
        ("SMTP_PASSWORD_FIEL", "SMTP_PASSWORD_FILE"),
    ],
)
def test_a_name_one_edit_away_is_found(name: str, other: str) -> None:
    assert closest_name(name, KNOWN) == other


@pytest.mark.parametrize(
    "name", ["LOG_LEVEL", "log_level", "LOG_LVL", "LOG_LEVEL_X", "HOST", "", "X", "SMTP_OHTS", "LEVEL_LOG"]
)
def test_known_and_different_names_are_not_changed(name: str) -> None:
    assert closest_name(name, KNOWN) is None


def edits(name: str) -> set[str]:
    """Every text that is one edit away, by the definition of the distance."""
    cuts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    letters = "AB_"
    return {
        *(a + b[1:] for a, b in cuts if b),
        *(a + c + b for (a, b), c in itertools.product(cuts, letters)),
        *(a + c + b[1:] for (a, b), c in itertools.product(cuts, letters) if b),
        *(a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1),
    } - {name}


@given(st.text("AB_", max_size=6), st.text("AB_", max_size=6))
def test_the_distance_is_that_of_damerau_and_levenshtein(name: str, other: str) -> None:
    assert (closest_name(name, [other]) == other) == (name in edits(other))
