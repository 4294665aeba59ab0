"""The findings of ``tallow prove`` on a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tallow.stack.commands.output.terminal import printable_lines, printable_text
from tallow.stack.prove.checks.model import SEVERITIES, Finding, Severity
from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.report import PAGE, Report, counts, description
from tallow.stack.prove.witnesses.witness import Witness

_MARKS: Final[dict[Severity, tuple[str, str]]] = {
    "error": ("●", "bold red"),
    "warning": ("▲", "yellow"),
    "note": ("·", "dim"),
}
_BAR: Final = 16
_WIDE: Final = 110
"""Columns from which on the check has a column of its own, and its description is shown."""
_MOST_WITHOUT_FINDINGS: Final = 100


def show_findings(console: Console, report: Report) -> None:
    """Print the findings by file and rule, then the checks and the totals."""
    is_wide = console.width >= _WIDE
    rows, left_out = _rows(report)
    for file, of_file in groupby(rows, lambda row: row.file):
        console.print(printable_text(file, "bold underline"))
        console.print(_file_table(list(of_file), is_wide=is_wide, has_witnesses=bool(report.witnesses)))
        console.print()
    if left_out:
        console.print(Text(f"{counted(left_out, 'further alert')} seen firing, without findings", "dim"))
        console.print()
    if report.findings:
        console.print(_checks_table(report, is_wide=is_wide))
        console.print()
    console.print(_totals(report))
    skipped = [f"{len(checks)} without {option}" for option, checks in report.skipped.items() if checks]
    if skipped:
        console.print(Text(f"checks that did not run: {', '.join(skipped)}", "dim"))
    console.print(Text(f"{PAGE} explains each check", "dim"))


@dataclass(frozen=True, slots=True, order=True)
class _Row:
    """A rule of the table, with what was found."""

    file: str
    line: int
    rule: str
    findings: tuple[Finding, ...] = ()
    witness: Witness | None = field(default=None, compare=False)


def _rows(report: Report) -> tuple[list[_Row], int]:
    """The rules of the table, and how many alerts without findings are left out, as there are many."""
    witnesses = {(one.alert.file, one.alert.line, one.alert.name): one for one in report.witnesses}
    found = [
        _Row(*place, tuple(findings), witnesses.pop(place, None))
        for place, findings in groupby(report.findings, lambda each: (each.file, each.line, each.rule))
    ]
    if len(witnesses) > _MOST_WITHOUT_FINDINGS:
        return found, len(witnesses)
    return sorted([*found, *(_Row(*place, (), witness) for place, witness in witnesses.items())]), 0


def _file_table(rows: Sequence[_Row], *, is_wide: bool, has_witnesses: bool) -> Table:
    table = Table(
        box=None, padding=(0, 1), pad_edge=True, expand=True, header_style="dim", show_header=has_witnesses
    )
    table.add_column("line", justify="right", style="dim", no_wrap=True, min_width=5)
    table.add_column(no_wrap=True)
    table.add_column("rule", ratio=1)
    if has_witnesses:
        table.add_column("witness", no_wrap=True)
    if is_wide:
        table.add_column("check", style="dim", no_wrap=True)
    for row in rows:
        witness = [_witness_cell(row.witness)] if has_witnesses else []
        table.add_row(str(row.line), Text(""), printable_text(row.rule, "bold"), *witness)
        empty = [Text("")] if has_witnesses else []
        for finding in row.findings:
            mark, style = _MARKS[finding.severity]
            text = printable_text(finding.message, "dim" if finding.severity == "note" else "")
            if not is_wide:
                text.append(f"  {finding.check}", "dim")
            table.add_row("", Text(mark, style), text, *empty, *([finding.check] if is_wide else []))
    return table


def _witness_cell(witness: Witness | None) -> Text:
    """When an alert fires under the series that were found. Recording rules have none."""
    if witness is None:
        return Text("")
    if witness.fires_at is None:
        return _no_witness_cell("" if witness.obstacle is None else witness.obstacle.kind)
    shown = f"fires in {duration_text(witness.fires_at)}"
    return (
        Text(shown, "green") if witness.quiet_series is not None else Text(f"{shown}, never quiet", "yellow")
    )


def _no_witness_cell(kind: str) -> Text:
    if kind == "never":
        return Text("cannot fire", "red")
    return Text("not run", "dim") if kind in ("limit", "unparsed") else Text("not found", "yellow")


def _checks_table(report: Report, *, is_wide: bool) -> Table:
    rows = counts(report)
    most = max(count for _, _, count in rows)
    table = Table.grid(padding=(0, 1), pad_edge=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    if is_wide:
        table.add_column(ratio=1, style="dim", overflow="ellipsis", no_wrap=True)
    for check, severity, count in rows:
        style = _MARKS[severity][1]
        bar = Text("█" * max(1, round(_BAR * count / most)), style)
        explanation = [description(check)] if is_wide else []
        table.add_row(f"{count:,}", bar, check, *explanation)
    return table


def _totals(report: Report) -> Text:
    """The number of rules, of findings of each severity, and of rules without any."""
    parts = [Text(counted(report.rules, "rule"), "bold")]
    for severity in SEVERITIES:
        number = sum(finding.severity == severity for finding in report.findings)
        if number:
            parts.append(Text(counted(number, severity), _MARKS[severity][1]))
    if report.unparsed:
        parts.append(Text(f"{report.unparsed:,} not parsed", "bold red"))
    parts.append(Text(f"{report.clean:,} without findings", "green"))
    return Text("  ").join(parts)


def finding_lines(report: Report) -> Iterator[str]:
    """One line for each finding, for other programs, and the same totals."""
    yield from map(printable_lines, map(str, report.findings))
    if report.findings:
        yield ""
    for check, severity, count in counts(report):
        yield f"{count:>6}  {severity:<8}{check}"
    rules, findings = counted(report.rules, "rule"), counted(len(report.findings), "finding")
    yield f"{rules}, {findings}, {report.unparsed} not parsed; see {PAGE}"
    yield from skipped_lines(report)


def skipped_lines(report: Report) -> Iterator[str]:
    """Which checks did not run."""
    for option, checks in report.skipped.items():
        if checks:
            yield f"skipped without {option}: {', '.join(checks)}"


def counted(number: int, what: str) -> str:
    """A number and what it counts.

    Example:
        >>> counted(1, "rule"), counted(2000, "rule")
        ('1 rule', '2,000 rules')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"
