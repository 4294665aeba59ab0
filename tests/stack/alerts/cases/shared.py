"""Cases that rules of the same form share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from support.alert_rules.promtool import INSTANCE, Case, counter, gauge, merged

ON_TALLOW = {"job": "tallow", "instance": INSTANCE}


def slow(
    alert: str,
    observed: Callable[[float, str, str], dict[str, str]],
    fast: float,
    limit: float,
    beyond: float,
    kinds: Sequence[str],
    *,
    least: int,
) -> list[Case]:
    """The cases of a rule on a 95th percentile: window and ``for`` of five minutes.

    ``observed(edge, samples, kind)`` returns the series of observations of one kind in the bucket up to
    ``edge``; ``least`` of them above ``limit`` are needed.
    """
    enough, few = 1.06 * least / 5, 0.95 * least / 5
    return [
        Case(
            alert,
            f"fires when the 95th percentile exceeds {limit} s for five minutes, and resolves",
            merged(
                observed(fast, counter((80, 17 * enough)), kinds[0]),
                observed(beyond, counter((20, 0), (30, enough), (30, 0)), kinds[1]),
            ),
            quiet=(20, 28.5, 51),
            firing=(30.5, 49.5),
            kinds=("fires", "enough"),
        ),
        Case(
            alert,
            f"stays quiet when fewer than one in twenty takes more than {limit} s",
            merged(
                observed(limit, counter((80, 20 * enough)), kinds[0]),
                observed(beyond, counter((80, enough)), kinds[1]),
            ),
            quiet=(30, 79),
            kinds=("below",),
        ),
        Case(
            alert,
            f"stays quiet when fewer than {least} take more than {limit} s",
            observed(beyond, counter((80, few)), kinds[0]),
            quiet=(30, 79),
            kinds=("few",),
        ),
        Case(
            alert,
            "adds up every kind",
            merged(*(observed(beyond, counter((80, enough / len(kinds))), kind) for kind in kinds)),
            firing=(31, 79),
        ),
        Case(
            alert,
            f"does not count those that take less than {limit} s, of whatever kind",
            merged(
                observed(limit, counter((80, 3 * enough)), kinds[0]),
                {
                    **observed(limit, counter((80, 3 * enough)), kinds[1]),
                    **_beyond(observed, beyond, counter((80, 3 * enough + few)), kinds[1]),
                },
            ),
            quiet=(30, 79),
        ),
    ]


def slow_statements(
    observed: Callable[[float, str, str], dict[str, str]],
    fast: float,
    limit: float,
    beyond: float,
    kinds: Sequence[str],
) -> list[Case]:
    """The cases of SlowDatabaseOperations: window and ``for`` of five minutes, at least 20 statements.

    ``observed(edge, samples, kind)`` returns the series of observations of one kind in the bucket up to
    ``edge``.
    """
    alert = "SlowDatabaseOperations"
    return [
        Case(
            alert,
            f"fires when the 95th percentile exceeds {limit} s for five minutes, and resolves",
            merged(
                observed(fast, counter((80, 4)), kinds[0]),
                observed(beyond, counter((20, 0), (30, 0.23), (30, 0)), kinds[1]),
            ),
            quiet=(20, 28.5, 51),
            firing=(30.5, 49.5),
            kinds=("fires", "enough"),
        ),
        Case(
            alert,
            f"stays quiet when fewer than one in twenty takes more than {limit} s",
            merged(
                observed(limit, counter((80, 4)), kinds[0]), observed(beyond, counter((80, 0.2)), kinds[1])
            ),
            quiet=(30, 79),
            kinds=("below",),
        ),
        Case(
            alert,
            "stays quiet when fewer than 20 observations stand behind the percentile",
            observed(beyond, counter((80, 3.8)), kinds[0]),
            quiet=(30, 79),
            kinds=("few",),
        ),
        Case(
            alert,
            "adds up every kind",
            merged(*(observed(beyond, counter((80, 4.2 / len(kinds))), kind) for kind in kinds)),
            firing=(31, 79),
        ),
    ]


def _beyond(
    observed: Callable[[float, str, str], dict[str, str]], edge: float, samples: str, kind: str
) -> dict[str, str]:
    """The buckets from ``edge`` on, and the count."""
    return {name: value for name, value in observed(edge, samples, kind).items() if value == samples}


def share(
    alert: str,
    good: Callable[[str], dict[str, str]],
    bad: Callable[[str], dict[str, str]],
    limit: float,
    *,
    least: int,
) -> list[Case]:
    """The cases of a rule on a failure ratio: window and ``for`` of five minutes, ``least`` failures or more.

    ``good(samples)`` and ``bad(samples)`` return the series of successful and failed events.
    """
    enough, few = 1.06 * least / 5, 0.95 * least / 5
    total = enough / (1.1 * limit)
    percent = f"{100 * limit:g} %"
    return [
        Case(
            alert,
            f"fires when more than {percent} fail, and resolves",
            merged(
                good(counter((20, total), (30, total - enough), (30, total))),
                bad(counter((20, 0), (30, enough), (30, 0))),
            ),
            quiet=(20, 28.5, 51),
            firing=(30.5, 49.5),
            kinds=("fires", "enough"),
        ),
        Case(
            alert,
            f"stays quiet when just under {percent} fail",
            merged(
                good(counter((80, 9 * enough * (1 / (0.95 * limit) - 1)))),
                bad(counter((80, 9 * enough))),
            ),
            quiet=(30, 79),
            kinds=("below",),
        ),
        Case(
            alert,
            f"stays quiet when fewer than {least} fail",
            merged(good(counter((80, 3 * few))), bad(counter((80, few)))),
            quiet=(30, 79),
            kinds=("few",),
        ),
    ]


def mostly_failing(
    alert: str,
    good: Callable[[str], dict[str, str]],
    bad: Callable[[str], dict[str, str]],
    *,
    hold: float,
    labels: Mapping[str, str] = ON_TALLOW,
) -> list[Case]:
    """The cases of a long arm: at least three bad events in six hours, and more than half of all.

    The times of a case are stretched by six: its hour is the arm's six hours. ``hold`` is ``for`` in the
    minutes of the case.
    """
    return [
        Case(
            alert,
            "fires when three of five fail in six hours, and resolves when the first is long past",
            merged(good(events(10, 20)), bad(events(15, 25, 35))),
            quiet=(24, 34.5, 35 + 0.7 * hold, 75.5),
            firing=(35.5 + 1.4 * hold, 60, 74),
            kinds=("fires", "enough"),
            stretch=6,
            labels=labels,
        ),
        Case(
            alert,
            "stays quiet when two of three fail in six hours",
            merged(good(events(20)), bad(events(15, 25))),
            quiet=(30, 40, 60, 74),
            kinds=("few",),
            stretch=6,
            labels=labels,
        ),
        Case(
            alert,
            "stays quiet when half of all fail in six hours",
            merged(good(events(11, 21, 31)), bad(events(15, 25, 35))),
            quiet=(40, 60, 70),
            kinds=("below",),
            stretch=6,
            labels=labels,
        ),
    ]


def outcomes(kind: str, instance: str = "", **statuses: str) -> dict[str, str]:
    """Outcomes of one kind by status, counted once per address prefix, beside many of the other kinds."""
    place = f',instance="{instance}"' if instance else ""
    name = "tallow_client_outcomes_total"
    succeeding, failing = (other for other in ("transfer", "connection", "key_exchange") if other != kind)
    return {
        **{f'{name}{{kind="{kind}",status="{status}"{place}}}': value for status, value in statuses.items()},
        f'{name}{{kind="{succeeding}",status="success"{place}}}': counter((120, 1)),
        f'{name}{{kind="{failing}",status="failed"{place}}}': counter((120, 1)),
    }


def mostly_failing_outcomes(alert: str, kind: str, *, hold: float = 5 / 6) -> list[Case]:
    """:func:`mostly_failing` for outcomes of one kind, on one instance."""
    return mostly_failing(
        alert,
        lambda samples: outcomes(kind, success=samples),
        lambda samples: {f'tallow_client_outcomes_total{{kind="{kind}",status="failed"}}': samples},
        hold=hold,
    )


def rate(count: float, window: float = 5) -> float:
    """Events per minute with which a window of so many minutes contains ``count`` of them."""
    return count / window


def events(*minutes: float, until: float = 120) -> str:
    """A counter that rises by one at each of these minutes."""
    begins = [0.0, *minutes]
    return gauge(
        *(
            (end - begin, count)
            for count, (begin, end) in enumerate(zip(begins, [*minutes, until], strict=True))
        )
    )
