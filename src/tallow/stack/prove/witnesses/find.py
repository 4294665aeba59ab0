"""Find a witness for each alert."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from tallow.stack.prove.expression import UnparsedError, parse, selectors
from tallow.stack.prove.promtool.program import Promtool
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.candidate import Candidate, CandidateSearch
from tallow.stack.prove.witnesses.evaluation.model import Recording, Recordings
from tallow.stack.prove.witnesses.verification import Verified, verify
from tallow.stack.prove.witnesses.witness import Observation, Obstacle, Witness

_FIRST: Final = 24
"""Candidates of an alert in the first round: those of all operands of ``or`` and of all edges."""
_MORE: Final = 6
"""Candidates in each further round, if promtool did not see the alert firing, and quiet just below."""
_UNCONFIRMED: Final = Obstacle(
    "unconfirmed", "promtool does not see the alert fire under the series that were found"
)
_CLEAR_OF_EDGE: Final = 2
"""Evaluations between the first one at which the alert fires and the one that a test looks at. Prometheus 2
and 3 treat the edges of ranges differently."""


class WitnessSearch:
    """The search for witnesses of the alerts of some rule files.

    Args:
        rules: all rules of the files; recording rules are used by the alerts that read them.

    Example:
        >>> from tallow.stack.prove.rule_file import parse_rules
        >>> rules = parse_rules("groups: [{name: a, rules: [{alert: Down, expr: up == 0}]}]", "a.yml")
        >>> search = WitnessSearch(rules)
        >>> [alert.name for alert in search.alerts]
        ['Down']
    """

    def __init__(self, rules: Sequence[LoadedRule]) -> None:
        self.rules = rules
        self.alerts = [rule for rule in rules if rule.kind == "alert"]
        self._recording_rules: dict[str, list[LoadedRule]] = {}
        self._recordings: dict[str, list[Recording]] = {}
        for rule in rules:
            if rule.kind == "record":
                self._record(rule)

    def _record(self, rule: LoadedRule) -> None:
        try:
            tree = parse(rule.expr)
        except UnparsedError:
            return  # it is a finding of the report; an alert on it has no witness
        self._recording_rules.setdefault(rule.name, []).append(rule)
        self._recordings.setdefault(rule.name, []).append(Recording(tree, rule.labels))

    @property
    def recordings(self) -> Recordings:
        """The recording rules by the metric that they write."""
        return self._recordings

    def needed_recordings(self, rule: LoadedRule) -> list[LoadedRule]:
        """The recording rules that a rule reads, also through others, in an order of evaluation."""
        found: list[LoadedRule] = []
        self._collect(rule, found, {rule.name} if rule.kind == "record" else set())
        return found

    def _collect(self, rule: LoadedRule, found: list[LoadedRule], seen: set[str]) -> None:
        try:
            names = [selector.name for selector in selectors(parse(rule.expr)) if selector.name]
        except UnparsedError:
            return
        for name in dict.fromkeys(names):
            if name not in seen and name in self._recording_rules:
                seen.add(name)
                for one in self._recording_rules[name]:
                    self._collect(one, found, seen)
                    found.append(one)

    def run(
        self,
        promtool: Promtool,
        progress: Callable[[int, int], None] = lambda _, __: None,
        *,
        all_edges: bool = True,
    ) -> list[Witness]:
        """A witness for each alert, or the reason why none was found.

        Args:
            progress: called with the number of alerts that were looked at, and of all.
            all_edges: whether series for each operand of ``or`` and for each value that decides are verified,
                as tests need them. Otherwise the first pair is enough, which takes a fifth of the time.

        Raises:
            PromtoolError: promtool cannot be started.
        """
        searches = [CandidateSearch(rule, self._recordings) for rule in self.alerts]
        iterators = [search.candidates() for search in searches]
        verified: list[list[Verified]] = [[] for _ in searches]
        for most in (_FIRST, _MORE, _MORE) if all_edges else (1, _MORE, _MORE, _MORE):
            open_ = [index for index, found in enumerate(verified) if not _is_complete(found)]
            self._round(open_, iterators, verified, most, promtool)
            progress(len(self.alerts) - len(open_), len(self.alerts))
        return [
            _witness(rule, found, search.obstacle)
            for rule, found, search in zip(self.alerts, verified, searches, strict=True)
        ]

    def _round(
        self,
        indexes: Sequence[int],
        iterators: Sequence[Iterator[Candidate]],
        verified: list[list[Verified]],
        most: int,
        promtool: Promtool,
    ) -> None:
        candidates = {index: list(islice(iterators[index], most)) for index in indexes}
        flat = [(index, one) for index, found in candidates.items() for one in found]
        needed = {index: self.needed_recordings(self.alerts[index]) for index in indexes}
        results = verify([(one, needed[index]) for index, one in flat], promtool)
        for (index, _), result in zip(flat, results, strict=True):
            verified[index].append(result)


def _is_complete(found: Sequence[Verified]) -> bool:
    return any(one.fires and one.stays_quiet for one in found)


def _witness(rule: LoadedRule, found: Sequence[Verified], obstacle: Obstacle | None) -> Witness:
    # Those with quiet series come first.
    fired = sorted((one for one in found if one.fires), key=lambda one: not one.stays_quiet)
    if not fired:
        return Witness(rule, obstacle=_unconfirmed(found) if found else obstacle or _UNCONFIRMED)
    best = fired[0]
    first = _first_firing(best)
    step = best.candidate.timing.evaluation_interval
    return Witness(
        rule,
        best.candidate.series,
        min(first + _CLEAR_OF_EDGE * step, best.candidate.timing.end),
        best.candidate.quiet_series if best.stays_quiet else None,
        interval_seconds=best.candidate.timing.interval,
        observations=tuple(_observations(fired)),
    )


def _unconfirmed(found: Sequence[Verified]) -> Obstacle:
    reason = next((one.rejected for one in found if one.rejected), "")
    return Obstacle("unconfirmed", f"promtool does not accept the rule: {reason}") if reason else _UNCONFIRMED


def _first_firing(one: Verified) -> float:
    """The time from which on the alert fires until the end."""
    last_quiet = one.quiet[-1] if one.quiet else -1.0
    return next(time for time in one.firing if time > last_quiet)


def _observations(found: Sequence[Verified]) -> Iterator[Observation]:
    """One of each kind: firing and quiet, for each part and edge. Those with the same words are numbered."""
    names: Counter[str] = Counter()
    for one in _all_observations(found):
        names[one.behaviour] += 1
        number = names[one.behaviour]
        yield replace(one, behaviour=f"{one.behaviour} ({number})") if number > 1 else one


def _all_observations(found: Sequence[Verified]) -> Iterator[Observation]:
    seen = set()
    for one in found:
        candidate = one.candidate
        for series, is_quiet in ((candidate.series, False), (candidate.quiet_series, True)):
            if series is None or (is_quiet and not one.stays_quiet):
                continue
            identity = is_quiet, tuple((each.selector, each.spans) for each in series)
            if identity in seen:
                continue
            seen.add(identity)
            yield _observation(one, is_quiet=is_quiet)


def _observation(one: Verified, *, is_quiet: bool) -> Observation:
    candidate, timing = one.candidate, one.candidate.timing
    step = timing.evaluation_interval
    words = _words(candidate)
    if is_quiet:
        series = candidate.quiet_series or ()
        times = (timing.end,)
        return Observation(f"stays quiet{words}", series, (), {}, times, timing.interval, step)
    first = _first_firing(one)
    before = [time for time in one.quiet if time <= first - _CLEAR_OF_EDGE * step]
    firing = tuple(sorted({min(first + _CLEAR_OF_EDGE * step, timing.end), timing.end}))
    quiet = tuple(before[-1:])
    alerts = {time: one.alerts[time] for time in firing if time in one.alerts}
    firing = tuple(alerts)
    return Observation(f"fires{words}", candidate.series, firing, alerts, quiet, timing.interval, step)


def _words(candidate: Candidate) -> str:
    part = f", part {candidate.part}" if candidate.part else ""
    return f"{part}: {candidate.edge}" if candidate.edge else part
