"""Every row of the tables: its examples, its counterexamples, its switch."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tallow.monitoring.privacy import Rule, Scrubber
from tallow.monitoring.privacy.checks import CHECKS
from tallow.monitoring.privacy.detectors import ALL as RULES
from tallow.monitoring.privacy.model import KeyRow, Syntax, marker
from tallow.monitoring.privacy.syntaxes import ALL as SYNTAXES
from tallow.monitoring.privacy.tables.key_names import PERSONAL, PLAIN, SECRET

SCRUBBER = Scrubber()
KEYS = (*SECRET, *PERSONAL, *PLAIN)
TEXTS: tuple[Rule | Syntax, ...] = (*SYNTAXES, *RULES)


def leaves(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [leaf for item in value.values() for leaf in leaves(item)]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, list) else [value]


def test_every_id_is_there_once_and_can_be_an_anchor() -> None:
    ids = [row.id for row in (*TEXTS, *KEYS)]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", id_) for id_ in ids)


@pytest.mark.parametrize("row", [*TEXTS, *KEYS], ids=lambda row: row.id)
def test_no_row_is_without_example_counterexample_and_description(row: Rule | Syntax | KeyRow) -> None:
    assert row.examples or row in PLAIN
    assert row.counterexamples
    assert row.description.endswith(".")


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row.id)
def test_an_example_comes_out_as_the_row_says(row: Rule | Syntax) -> None:
    for text, expected in row.examples:
        assert SCRUBBER.text(text) == expected
        assert SCRUBBER.text(expected) == expected


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row.id)
def test_a_counterexample_comes_out_as_it_went_in(row: Rule | Syntax) -> None:
    for text in row.counterexamples:
        assert SCRUBBER.text(text) == text


@pytest.mark.parametrize("row", TEXTS, ids=lambda row: row.id)
def test_a_disabled_row_makes_its_own_example_fail(row: Rule | Syntax) -> None:
    scrubber = Scrubber(disable={row.id})
    assert any(scrubber.text(text) != expected for text, expected in row.examples)


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row.id)
def test_the_examples_of_a_key(row: KeyRow) -> None:
    for name, value in row.examples:
        scrubbed = SCRUBBER.value({name: value})[name]
        assert marker(row.kind) in leaves(scrubbed)
        if row in SECRET:
            assert {marker(row.kind)} == set(leaves(scrubbed))
    for name, value in row.counterexamples:
        assert SCRUBBER.value({name: value}) == {name: value}


@pytest.mark.parametrize("row", [*SECRET, *PERSONAL], ids=lambda row: row.id)
def test_a_disabled_key_makes_its_own_example_fail(row: KeyRow) -> None:
    scrubber = Scrubber(disable={row.id})
    assert any(marker(row.kind) not in leaves(scrubber.value({name: value})) for name, value in row.examples)


@pytest.mark.parametrize("row", KEYS, ids=lambda row: row.id)
def test_every_check_is_known(row: KeyRow) -> None:
    assert not row.check or row.check in CHECKS


def test_an_unknown_id_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"no rule is called 'us-fone'; accepted: .*privacy-rules"):
        Scrubber(disable={"us-fone"})


def test_a_rule_of_an_application_works_as_those_of_the_tables() -> None:
    rule = Rule("staff-number", "user", "EMP-", r"EMP-\d{6}")
    assert Scrubber(extra=[rule]).text("by EMP-004711 today") == "by [user] today"
    assert Scrubber(extra=[rule], disable={"staff-number"}).text("by EMP-004711") == "by EMP-004711"
    assert SCRUBBER.text("by EMP-004711") == "by EMP-004711"
    valid = Rule("even-number", "user", None, r"E\d+", lambda text: text[-1] in "02468")
    assert Scrubber(extra=[valid]).text("E12 E13") == "[user] E13"


@pytest.mark.parametrize(
    "rule",
    [Rule("email-address", "user", "", "x"), Rule("own", "A B", "", "x")],
    ids=["taken id", "odd kind"],
)
def test_a_rule_that_cannot_be_used_is_refused(rule: Rule) -> None:
    with pytest.raises(ValueError, match="accepted: "):
        Scrubber(extra=[rule])


def test_more_keys_and_kept_keys() -> None:
    scrubber = Scrubber(extra_keys={"patient_ref": "user"}, keep_keys={"state", "user"})
    record = {"patientRef": 4711, "user": "annlee", "state": "SplxlOBeZQQYbYS6WxSbIA8d7"}
    assert scrubber.value(record) == {**record, "patientRef": "[user]"}
    assert SCRUBBER.value(record) == {"patientRef": 4711, "user": "[user]", "state": "[secret]"}
    assert scrubber.text("patient_ref=17 user=annlee") == "patient_ref=[user] user=annlee"


@pytest.mark.parametrize("name", ["password", "db_password", "X-Api-Key", "authtoken"])
def test_a_secret_key_cannot_be_kept(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*names a secret; accepted: keys of the PERSONAL table"):
        Scrubber(keep_keys={name})
