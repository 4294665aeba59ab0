"""A name is found in a text whatever stands before it and however its words are joined."""

from __future__ import annotations

import pytest

from tallow.monitoring.privacy import Scrubber
from tallow.monitoring.privacy.keys import Keys, split
from tallow.monitoring.privacy.prefilter.name_endings import NameEndings, endings_of
from tallow.monitoring.privacy.tables import key_names as tables

SECRET_NAMES = sorted({name for row in tables.SECRET for name in row.names.split() if name.isascii()})
SCRUBBER = Scrubber(extra_keys={"pk": "secret", "q": "secret", "zip3": "secret"})


@pytest.mark.parametrize("before", ["x=1&", "1;", "9 ", "a1,", "0(", "7/x?", "{", "", "\t"])
@pytest.mark.parametrize(
    "name", ["pw", "pwd", "pin", "otp", "db_pw", "dbPin", "pk", "q", "zip3", "passwordOld"]
)
def test_a_short_name_is_found_behind_any_character(before: str, name: str) -> None:
    assert "hunter2" not in SCRUBBER.value(f"{before}{name}=hunter2")


@pytest.mark.parametrize("separator", ["_", "-", ".", "__", "--", "$", " "])
@pytest.mark.parametrize("words", [("session", "id"), ("passport", "no"), ("db", "pw"), ("card", "pin")])
def test_the_words_of_a_name_may_be_joined_by_any_mark(separator: str, words: tuple[str, ...]) -> None:
    assert "hunter2" not in SCRUBBER.value(f"rows=3 {separator.join(words)}=hunter2")


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_every_secret_name_has_a_known_ending(name: str) -> None:
    endings, lower = Keys().endings(), name.rstrip("0123456789_")
    assert endings.match(lower)
    assert endings.match(lower.replace("_", ""))
    assert endings.match(lower.replace("_", "-"))


def test_endings_are_as_long_as_the_last_word_allows() -> None:
    assert endings_of(split("db_password")) == {"ssword"}
    assert endings_of(["token"]) == {"oken"}
    assert endings_of(["pin"]) == {"pin"}
    assert endings_of(["pw"]) == {"pw"}
    assert "n_id" in endings_of(["session", "id"])
    assert not NameEndings(endings_of(["session", "id"])).match("user_id")
