"""Cases that rules of the same form share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from support.alert_rules.promtool import Case, counter, merged


def slow(
    alert: str,
    observed: Callable[[float, str, str], dict[str, str]],
    fast: float,
    limit: float,
    beyond: float,
    kinds: Sequence[str],
) -> list[Case]:
    """The cases of a rule on a 95th percentile: window and ``for`` of five minutes, at least 20 observations.

    ``observed(edge, samples, kind)`` returns the series of observations of one kind in the bucket up to
    ``edge``.
    """
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


def share(
    alert: str,
    good: Callable[[str], dict[str, str]],
    bad: Callable[[str], dict[str, str]],
    limit: float,
    *,
    least: int,
) -> list[Case]:
    """The cases of a rule on a failure ratio: window and ``for`` of five minutes, ``least`` events or more.

    ``good(samples)`` and ``bad(samples)`` return the series of successful and failed events.
    """
    enough, few = 1.06 * least / 5, 0.95 * least / 5
    percent = f"{100 * limit:g} %"
    return [
        Case(
            alert,
            f"fires when more than {percent} fail, and resolves",
            merged(
                good(counter((20, enough), (30, enough * (1 - 1.1 * limit)), (30, enough))),
                bad(counter((20, 0), (30, enough * 1.1 * limit), (30, 0))),
            ),
            quiet=(20, 28.5, 51),
            firing=(30.5, 49.5),
            kinds=("fires", "enough"),
        ),
        Case(
            alert,
            f"stays quiet when just under {percent} fail",
            merged(
                good(counter((80, 9 * enough * (1 - 0.95 * limit)))),
                bad(counter((80, 9 * enough * 0.95 * limit))),
            ),
            quiet=(30, 79),
            kinds=("below",),
        ),
        Case(
            alert,
            f"stays quiet when fewer than {least} stand behind the share",
            merged(good(counter((80, few / 2))), bad(counter((80, few / 2)))),
            quiet=(30, 79),
            kinds=("few",),
        ),
    ]
