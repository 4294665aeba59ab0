"""``tallow prove``: find faults in Prometheus rules that promtool accepts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from tallow.stack.commands.output.findings import finding_lines, show_findings
from tallow.stack.commands.output.terminal import new_console, printable_lines
from tallow.stack.prove.alertmanager.config import AlertmanagerConfigError, load_config
from tallow.stack.prove.checks.model import SEVERITIES
from tallow.stack.prove.duration import DurationError, parse_duration
from tallow.stack.prove.expression import UnparsedError, parse, selectors
from tallow.stack.prove.metrics.source import SourceError, load_metrics
from tallow.stack.prove.output.html import as_html
from tallow.stack.prove.output.sarif import as_json, as_sarif
from tallow.stack.prove.report import Report, check_rules
from tallow.stack.prove.rule_file import LoadedRule, RuleFileError, load_rules

_FAILING: Final = {name: SEVERITIES[: position + 1] for position, name in enumerate(SEVERITIES)} | {
    "never": ()
}


@click.command("prove")
@click.argument("rules", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--metrics",
    "source",
    metavar="SOURCE",
    help="What the rules read: an exposition, a folder of them, a scrape URL or a Prometheus URL.",
)
@click.option(
    "--scrape-interval",
    metavar="DURATION",
    help="Of the metrics that the rules read. A Prometheus given with --metrics tells it.",
)
@click.option(
    "--alertmanager",
    "config",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="The configuration of the Alertmanager that gets the alerts.",
)
@click.option(
    "--html",
    "page",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write a page with the findings, too.",
)
@click.option("--json", "as_", flag_value="json", help="For programs: all findings.")
@click.option("--sarif", "as_", flag_value="sarif", help="For code hosts: SARIF 2.1.0.")
@click.option(
    "--fail-on",
    type=click.Choice(list(_FAILING)),
    default="error",
    show_default=True,
    help="The severity of findings with which the exit status is 1.",
)
def command(
    rules: tuple[Path, ...],
    source: str | None,
    scrape_interval: str | None,
    config: Path | None,
    page: Path | None,
    as_: str | None,
    fail_on: str,
) -> None:
    """Find faults in RULES that `promtool check rules` accepts: rule files, or folders of them.

    Prints the findings: tables on a terminal, otherwise one line for each. docs/prove.md explains the checks.
    Without --metrics and --alertmanager, the checks that need them are skipped.
    """
    interval = _interval(scrape_interval)
    try:
        loaded = load_rules(list(rules))
        metrics = load_metrics(source, _names(loaded)) if source else None
        alertmanager = load_config(config) if config else None
    except (RuleFileError, SourceError, AlertmanagerConfigError) as error:
        raise click.ClickException(printable_lines(str(error))) from None
    report = check_rules(loaded, metrics, interval, alertmanager)
    if page:
        _write(page, as_html(report, loaded))
    if as_:
        click.echo(as_json(report) if as_ == "json" else as_sarif(report))
    else:
        _show(report)
    if report.worst() in _FAILING[fail_on]:
        raise SystemExit(1)


def _show(report: Report) -> None:
    """Print tables on a terminal, and lines for other programs."""
    console = new_console()
    if console.is_terminal:
        show_findings(console, report)
        return
    for line in finding_lines(report):
        click.echo(line)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(printable_lines(f"{path}: {error.strerror or error}")) from None


def _interval(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        seconds = parse_duration(text)
    except DurationError as error:
        raise click.BadParameter(str(error), param_hint="--scrape-interval") from None
    if not seconds:
        raise click.BadParameter("a scrape interval is longer than 0", param_hint="--scrape-interval")
    return seconds


def _names(loaded: list[LoadedRule]) -> set[str]:
    """The names that the rules read."""
    names: set[str] = set()
    for rule in loaded:
        try:
            names.update(selector.name for selector in selectors(parse(rule.expr)) if selector.name)
        except UnparsedError:
            continue  # it is a finding of the report
    return names
