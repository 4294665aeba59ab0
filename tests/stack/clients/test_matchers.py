"""Parse matchers, and find the alerts that they can match."""

from __future__ import annotations

import pytest

from tallow.stack.alerts import RULES
from tallow.stack.clients.matchers import Matcher, MatcherError, alerts_matching, is_specific


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("ServiceDown", Matcher("alertname", "ServiceDown")),
        ("alertname=ServiceDown", Matcher("alertname", "ServiceDown")),
        ('instance="web:3000"', Matcher("instance", "web:3000")),
        ("severity!=critical", Matcher("severity", "critical", equal=False)),
        ("instance=~web.*", Matcher("instance", "web.*", regex=True)),
        ("category!~security|database", Matcher("category", "security|database", regex=True, equal=False)),
    ],
)
def test_a_matcher_is_read_and_written(text: str, matcher: Matcher) -> None:
    assert Matcher.parse(text) == matcher
    assert Matcher.parse(str(matcher)) == matcher


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Servicedown", "'Servicedown' is neither an alert nor a matcher; give NAME=VALUE, !=, =~ or !~"),
        ("=x", "'=x' is neither an alert nor a matcher"),
        ("instance=~(", "'(' is not a regular expression"),
    ],
)
def test_invalid_matcher_is_named(text: str, expected: str) -> None:
    with pytest.raises(MatcherError, match="^" + expected.replace("(", r"\(").replace(")", r"\)")[:30]):
        Matcher.parse(text)


def test_a_regular_expression_matches_the_whole_value() -> None:
    assert Matcher("instance", "web", regex=True).matches("web")
    assert not Matcher("instance", "web", regex=True).matches("web:3000")
    assert Matcher("instance", "web", regex=True, equal=False).matches("web:3000")


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["ServiceDown"], ["ServiceDown"]),
        (["category=database"], ["SlowDatabaseOperations"]),
        (["category=security", "severity=critical"], ["HighPQCFailureRate"]),
        (["alertname=~Slow.*", "category!=database"], ["SlowTransfers", "SlowPQCOperations"]),
        (["alertname=Nothing"], []),
        (["instance=web:3000"], list(RULES)),
        (["severity=~.*"], list(RULES)),
    ],
)
def test_alerts_that_matchers_can_match(texts: list[str], names: list[str]) -> None:
    assert alerts_matching(map(Matcher.parse, texts)) == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("instance=web:3000", True),
        ("instance=~web.*", True),
        ("instance=~.*", False),
        ("instance=~.+", False),
        ("instance!=web:3000", False),
        ("job=tallow", False),
        ("ServiceDown", False),
    ],
)
def test_only_a_run_time_label_makes_matchers_specific(text: str, expected: bool) -> None:
    assert is_specific([Matcher.parse(text)]) is expected
