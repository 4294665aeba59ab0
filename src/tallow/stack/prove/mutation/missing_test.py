"""What a test has to show so that it detects a mutant."""

from __future__ import annotations

from typing import Final

from tallow.stack.prove.mutation.mutants import Mutant

_MISSING: Final = {
    "metric renamed": "a case in which {old} decides whether the alert fires",
    "label dropped from a selector": "a case with a series that lacks only {old} and would decide otherwise",
    "label value changed": "a case in which the series with {old} decide whether the alert fires",
    "label dropped from by()": "a case with two groups that differ only in a label of '{old}'",
    "comparison flipped": "a case on each side of {old}",
    "connective changed": "a case in which only one operand of '{old}' holds",
    "aggregation changed": "a case in which {old} combines several series of different values",
    "function changed": "a case in which {old} and its replacement differ by more than the threshold",
    "arithmetic changed": "a case in which the operand behind '-' is not small",
    "quantile changed": "a case with the quantiles {old} and {new} on different sides of the threshold",
    "offset dropped": "a case in which the value at the offset differs from the value now",
    "number changed": "a case just above and one just below {old}, nearer to it than {new}",
    "window changed": "a case with an event that only one of the windows {old} and {new} contains",
    "for changed": "a case that looks just before and just after the time that the alert waits ({old})",
    "severity changed": 'a case that expects the label severity="{old}"',
}


def missing_test(mutant: Mutant) -> str:
    """The missing test in words.

    Example:
        >>> from tallow.stack.prove.rule_file import LoadedRule
        >>> rule = LoadedRule("rules.yml", 1, "g", "alert", "Down", "up == 0")
        >>> missing_test(Mutant("severity changed", "warning -> info", rule))
        'a case that expects the label severity="warning"'
    """
    old, _, new = mutant.what.partition(" #")[0].partition(" -> ")
    return _MISSING[mutant.operator].format(old=old, new=new)
