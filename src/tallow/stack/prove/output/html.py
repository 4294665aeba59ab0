"""The report as one HTML file without scripts, which loads nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from importlib import resources
from itertools import groupby
from typing import Final

from tallow.stack.prove.checks.model import SEVERITIES, Finding, Severity
from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.output.sparkline import sparkline
from tallow.stack.prove.report import PAGE, Report, counts, description
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.witness import Witness

MAX_SERIES: Final = 4
"""Of a witness that are drawn; the others are counted."""
_BAR: Final = 120

Key = tuple[str, int, str]
"""File, line and name of a rule."""


def as_html(report: Report, rules: Sequence[LoadedRule]) -> str:
    """A page with all findings, the expressions of their rules, and a chart of each witness.

    Its content security policy allows its own style sheet only. It has a light and a dark form.

    Args:
        report: see :func:`tallow.stack.prove.report.check_rules`.
        rules: those that were checked.
    """
    css = resources.files("tallow.stack.prove.output").joinpath("report.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_title(report)}</title><style>{css}</style></head><body>",
            *_header(report),
            "<main>",
            *_checks(report),
            *_Rules(report, rules).parts(),
            "</main>",
            f"<footer>tallow prove. {escape(PAGE)} explains each check.</footer></body></html>\n",
        )
    )


def _title(report: Report) -> str:
    findings = "finding" if len(report.findings) == 1 else "findings"
    rules = "rule" if report.rules == 1 else "rules"
    return f"{len(report.findings)} {findings} in {report.rules} alert {rules}"


def _header(report: Report) -> Iterator[str]:
    found = {name: sum(finding.severity == name for finding in report.findings) for name in SEVERITIES}
    yield "<header><h1>Alert rules</h1>"
    yield f"<p>{_verdict(found)}</p>"
    yield '<div class="tiles">'
    yield _tile(report.rules, "rules", "")
    for name in SEVERITIES:
        yield _tile(found[name], name if found[name] == 1 else f"{name}s", name if found[name] else "none")
    yield _tile(report.clean, "without findings", "good")
    if report.witnesses:
        shown = f"{sum(each.found for each in report.witnesses)} / {len(report.witnesses)}"
        yield _tile(shown, "alerts seen firing", "good")
    yield "</div>"
    for option, checks in report.skipped.items():
        if checks:
            yield f"<p>Without <code>{escape(option)}</code>, {len(checks)} checks did not run.</p>"
    yield "</header>"


def _verdict(found: Mapping[Severity, int]) -> str:
    if found["error"]:
        return "Some rules do not do what they say."
    return "Some rules deserve a look." if found["warning"] else "Nothing that looks like a fault."


def _tile(number: object, text: str, kind: str) -> str:
    return f'<div class="tile {kind}"><b>{number}</b><span>{text}</span></div>'


def _checks(report: Report) -> Iterator[str]:
    """The table of checks with findings, the most frequent first."""
    rows = counts(report)
    if not rows:
        return
    most = max(count for _, _, count in rows)
    yield "<h2>Checks</h2><table>"
    for check, severity, count in rows:
        width = max(2, round(_BAR * count / most))
        rect = f'<rect width="{width}" height="10" rx="2"/>'
        bar = f'<svg width="{_BAR}" height="10" aria-hidden="true">{rect}</svg>'
        yield (
            f'<tr class="{severity}"><td class="number">{count}</td><td class="bar">{bar}</td>'
            f"<td>{_mark(severity)}</td><td><code>{escape(check)}</code></td>"
            f'<td class="text">{escape(description(check))}</td></tr>'
        )
    yield "</table>"


def _mark(severity: str) -> str:
    return f'<span class="mark {severity}">{severity}</span>'


class _Rules:
    """The part of the page that lists the rules, by their files."""

    def __init__(self, report: Report, rules: Sequence[LoadedRule]) -> None:
        self._findings = report.findings
        self._expressions: dict[Key, str] = {(rule.file, rule.line, rule.name): rule.expr for rule in rules}
        self._witnesses: dict[Key, Witness] = {
            (each.alert.file, each.alert.line, each.alert.name): each for each in report.witnesses
        }

    def parts(self) -> Iterator[str]:
        """The findings, and the witnesses of rules without findings."""
        if self._findings:
            yield '<fieldset class="filter" aria-label="Findings shown">'
            for name, text in (("note", "all"), ("warning", "errors and warnings"), ("error", "errors")):
                checked = " checked" if name == "note" else ""
                yield f'<input type="radio" name="show" id="show-{name}"{checked}>'
                yield f'<label for="show-{name}">{text}</label>'
            yield "</fieldset>"
        for file, findings in groupby(self._findings, lambda finding: finding.file):
            yield f'<section class="file"><h2>{escape(file)}</h2>'
            for key, found in groupby(findings, _key):
                yield from self._rule(key, list(found))
            yield "</section>"
        yield from self._quiet_rules()

    def _rule(self, key: Key, findings: list[Finding]) -> Iterator[str]:
        _file, line, name = key
        yield f'<article class="rule"><h3>{escape(name)}<small>line {line}</small></h3>'
        for finding in findings:
            yield f'<div class="finding {finding.severity}">{_mark(finding.severity)}'
            yield f"<span>{escape(finding.message)} <code>{escape(finding.check)}</code></span></div>"
        if key in self._witnesses and self._witnesses[key].found:
            yield from _witness(self._witnesses[key])
        if key in self._expressions:
            expression = escape(self._expressions[key].strip())
            yield f"<details><summary>Expression</summary><pre>{expression}</pre></details>"
        yield "</article>"

    def _quiet_rules(self) -> Iterator[str]:
        flagged = {_key(finding) for finding in self._findings}
        quiet = [(key, witness) for key, witness in self._witnesses.items() if key not in flagged]
        if quiet:
            word = "alert" if len(quiet) == 1 else "alerts"
            yield f"<h2>Without findings</h2><details><summary>{len(quiet)} {word}</summary>"
            for key, _ in quiet:
                yield from self._rule(key, [])
            yield "</details>"


def _key(finding: Finding) -> Key:
    return finding.file, finding.line, finding.rule


def _witness(witness: Witness) -> Iterator[str]:
    """Charts of the series under which an alert fires."""
    yield '<div class="witness">'
    interval = witness.interval_seconds
    at = (witness.fires_at or 0) / interval
    yield f"<p>Fires after {duration_text(witness.fires_at or 0)}. Dashed: just below the condition.</p>"
    quiet = {series.selector: list(series.samples()) for series in witness.quiet_series or ()}
    for series in witness.series[:MAX_SERIES]:
        below = quiet.get(series.selector, [])
        yield sparkline(list(series.samples()), below, at, f"samples of {series.selector}")
        yield f"<code>{escape(series.selector)}</code>"
    if len(witness.series) > MAX_SERIES:
        yield f"<p>and {len(witness.series) - MAX_SERIES} further series</p>"
    yield "</div>"
