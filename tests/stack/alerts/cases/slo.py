"""When the alerts on error budgets fire, and when not.

The windows are 60 and 5 minutes. Those of the slow burn rate are six times as long, and so are the minutes of
its cases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from stack.alerts.cases.connections import attempts
from stack.alerts.cases.performance import durations
from stack.alerts.cases.shared import events, mostly_failing, outcomes, rate
from support.alert_rules.promtool import Case, counter, gauge, merged
from tallow.stack.alerts.low_traffic import MIN_BAD_1H, MIN_BAD_6H

JOB = {"job": "tallow"}
UP = 'up{job="tallow"}'
BEGINS, LONG, SHORT = 60, 60, 5
Series = dict[str, str]


def within_a_minute(samples: str) -> Series:
    return durations(60, samples, size="under_1mb")


def slow_or_failed(samples: str) -> Series:
    """Transfers that miss the objective: half of them too slow, half failed."""
    return merged(
        durations(120, samples, size="10mb_100mb"), durations(1, samples, status="failed", size="1mb_10mb")
    )


def not_counted(samples: str) -> Series:
    """Transfers that the objective does not count."""
    return merged(
        durations(30, samples, size="100mb_1gb"),
        durations(30, samples, status="cancelled", size="under_1mb"),
        durations(30, samples, status="failed", size="over_1gb"),
    )


def connected(samples: str) -> Series:
    return merged(attempts(success=samples), attempts("relay", success=samples))


def unconnected(samples: str) -> Series:
    return merged(attempts(failed=samples), attempts("relay", failed=samples))


@dataclass(frozen=True)
class Burning:
    """One objective with one burn rate. Rates are events a minute of both instances together.

    ``good`` and ``bad`` record ``per_good`` and ``per_bad`` events on an instance for each of the samples.
    """

    alert: str
    good: Callable[[str], Series]
    bad: Callable[[str], Series]
    per_good: int
    per_bad: int
    beside: Callable[[str], Series] | None
    share: float
    least: int
    hold: float
    stretch: int

    def series(self, good: list[tuple[float, float]], bad: list[tuple[float, float]]) -> Series:
        """Both kinds of events, spread over two instances, and events that are not counted."""
        one = merged(
            self.good(counter(*((minutes, rate / 2 / self.per_good) for minutes, rate in good))),
            self.bad(counter(*((minutes, rate / 2 / self.per_bad) for minutes, rate in bad))),
            self.beside(counter((180, rate(20 * self.least, LONG)))) if self.beside else {},
        )
        return {
            f'{name[:-1]},instance="{place}:3000"}}': samples
            for name, samples in {**one, UP: gauge((180, 1))}.items()
            for place in "ab"
        }

    def case(
        self, behaviour: str, good: list[tuple[float, float]], bad: list[tuple[float, float]], **more: object
    ) -> Case:
        series = self.series(good, bad)
        return Case(self.alert, behaviour, series, labels=JOB, stretch=self.stretch, **more)  # type: ignore[arg-type]

    def cases(self) -> Iterable[Case]:
        enough, few = rate(1.06 * 2 * self.least, LONG), rate(0.95 * 2 * self.least, LONG)
        over, under = 1.08 * self.share, 0.95 * self.share
        total = enough / over
        crossed = BEGINS + LONG / 1.06  # when both the share and the number in the long window suffice
        ends = round(crossed + self.hold + 10)
        recovery = SHORT * (1 - self.share)  # how long after the cause the short window is below the limit
        yield self.case(
            "fires when the budget burns over the long window and still burns, and resolves",
            [(BEGINS, total), (ends - BEGINS, total - enough), (40, total)],
            [(BEGINS, 0), (ends - BEGINS, enough), (40, 0)],
            quiet=(BEGINS, crossed + 0.5 * self.hold - 1, ends + 1.5),
            firing=(crossed + 1.4 * self.hold, ends - 0.5),
            kinds=("fires", "enough"),
        )
        yield self.case(
            "stays quiet when the budget burns just more slowly",
            [(130, 9 * enough * (1 / under - 1))],
            [(130, 9 * enough)],
            quiet=(65, 100, 129),
            kinds=("below",),
        )
        yield self.case(
            f"stays quiet when fewer than {self.least} events on each instance are bad",
            [(130, few * (1 / over - 1))],
            [(130, few)],
            quiet=(65, 100, 129),
            kinds=("few",),
        )
        yield replace(
            self.case(
                "needs as many bad events on an instance that is down",
                [(130, 0)],
                [(130, rate(2.5 * self.least, LONG))],
                quiet=(65, 100, 129),
            ),
            series={
                **self.series([(130, 0)], [(130, rate(2.5 * self.least, LONG))]),
                'up{job="tallow",instance="c:3000"}': gauge((180, 0)),
            },
        )
        yield self.case(
            "resolves as soon as the short window has recovered",
            [(BEGINS, 0), (30, 2 * enough)],
            [(BEGINS, 2 * enough), (30, 0)],
            firing=(BEGINS - 1, BEGINS + 0.75 * recovery),
            quiet=(BEGINS + 1.3 * recovery, BEGINS + 20),
        )
        at_once = enough * LONG  # a minute's bad events that suffice
        allowed = 6 * at_once * (1 / (0.8 * self.share) - 1)
        yield self.case(
            "stays quiet shortly after the start of the fault",
            [(BEGINS, rate(allowed, LONG)), (6, 0)],
            [(BEGINS, 0), (6, at_once)],
            quiet=(BEGINS + 1, BEGINS + 4.5, BEGINS + 5.5),
        )


def low_traffic(alert: str, kind: str) -> Iterable[Case]:
    """The cases of the long arm of the slow burn rate."""
    name = "tallow_client_outcomes_total"
    failed = f'{name}{{kind="{kind}",status="failed"'
    yield from mostly_failing(
        alert,
        lambda samples: outcomes(kind, success=samples),
        lambda samples: {f'{failed},instance="b:3000"}}': samples},
        hold=2.5,
        labels=JOB,
    )
    yield Case(
        alert,
        "adds up the outcomes of all instances",
        {
            **outcomes(kind, success=events(10, 20)),
            f'{failed},instance="a:3000"}}': events(15, 35),
            f'{failed},instance="b:3000"}}': events(25),
        },
        quiet=(34.5,),
        firing=(39, 60, 74),
        labels=JOB,
        stretch=6,
    )


TRANSFERS = (within_a_minute, slow_or_failed, 1, 2, not_counted)
CONNECTIONS = (connected, unconnected, 2, 2, None)
CASES = [
    *Burning("TransferBudgetBurnsFast", *TRANSFERS, share=0.72, least=MIN_BAD_1H, hold=2, stretch=1).cases(),
    *Burning("TransferBudgetBurnsSlow", *TRANSFERS, share=0.3, least=MIN_BAD_6H, hold=2.5, stretch=6).cases(),
    *Burning(
        "ConnectionBudgetBurnsFast", *CONNECTIONS, share=0.144, least=MIN_BAD_1H, hold=2, stretch=1
    ).cases(),
    *Burning(
        "ConnectionBudgetBurnsSlow", *CONNECTIONS, share=0.06, least=MIN_BAD_6H, hold=2.5, stretch=6
    ).cases(),
    *low_traffic("TransferBudgetBurnsSlow", "transfer"),
    *low_traffic("ConnectionBudgetBurnsSlow", "connection"),
]
