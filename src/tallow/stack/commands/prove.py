"""``tallow prove``: find faults in Prometheus rules that promtool accepts."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import click

from tallow.stack.commands.output.findings import finding_lines, show_findings
from tallow.stack.commands.output.proof import proof_json, proof_lines
from tallow.stack.commands.output.terminal import new_console, printable_lines
from tallow.stack.engines.programs.programs import MissingProgramError
from tallow.stack.prove.alertmanager.config import AlertmanagerConfig, AlertmanagerConfigError, load_config
from tallow.stack.prove.checks.model import SEVERITIES
from tallow.stack.prove.duration import DurationError, parse_duration
from tallow.stack.prove.expression import UnparsedError, parse, selectors
from tallow.stack.prove.metrics.model import KnownMetrics
from tallow.stack.prove.metrics.source import SourceError, load_metrics
from tallow.stack.prove.mutation.test_file import TestFileError
from tallow.stack.prove.output.html import as_html
from tallow.stack.prove.output.sarif import as_json, as_sarif
from tallow.stack.prove.promtool.program import Promtool, PromtoolError
from tallow.stack.prove.proof import Proof, ProofRequest, prove_alerts
from tallow.stack.prove.report import Report, add_unread_files, add_witnesses, check_rules
from tallow.stack.prove.rule_file import LoadedRule, RuleFileError, RuleFiles, read_rules
from tallow.stack.prove.witnesses.test_writer import TestWriteError

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
@click.option(
    "--write-tests",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the series under which alerts fire, and those just below, as tests for promtool.",
)
@click.option(
    "--mutants",
    is_flag=True,
    help="Change each alert in one place at a time: which changes does no test notice?",
)
@click.option(
    "--tests",
    multiple=True,
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With your own tests for promtool instead of the series found. Implies --mutants.",
)
@click.option("--static", is_flag=True, help="Only read the rules: promtool is not started.")
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
    write_tests: Path | None,
    mutants: bool,
    tests: tuple[Path, ...],
    static: bool,
    as_: str | None,
    fail_on: str,
) -> None:
    """Find faults in RULES that `promtool check rules` accepts: rule files, or folders of them.

    Prints the findings: tables on a terminal, otherwise one line for each. docs/prove.md explains the checks.
    Without --metrics and --alertmanager, the checks that need them are skipped. For each alert, series are
    searched under which promtool sees it fire.
    """
    request = ProofRequest(write_tests, tests, mutants)
    if static and request != ProofRequest():
        raise click.UsageError("--static excludes --write-tests, --mutants and --tests")
    interval = _interval(scrape_interval)
    files, metrics, alertmanager = _read(rules, source, config)
    loaded = files.rules
    report = add_unread_files(check_rules(loaded, metrics, interval, alertmanager), files.problems)
    proof = None if static else _proof(loaded, request)
    if proof:
        report = add_witnesses(report, proof.witnesses, loaded)
    if page:
        _write(page, as_html(report, loaded))
    _show(report, proof, as_)
    if report.worst() in _FAILING[fail_on]:
        raise SystemExit(1)


def _read(
    rules: Sequence[Path], source: str | None, config: Path | None
) -> tuple[RuleFiles, KnownMetrics | None, AlertmanagerConfig | None]:
    try:
        files = read_rules(list(rules))
        if not files.rules:
            raise click.ClickException("\n".join(printable_lines(str(one)) for one in files.problems))
        metrics = load_metrics(source, _names(files.rules)) if source else None
        return files, metrics, load_config(config) if config else None
    except (RuleFileError, SourceError, AlertmanagerConfigError) as error:
        raise click.ClickException(printable_lines(str(error))) from None


def _proof(loaded: Sequence[LoadedRule], request: ProofRequest) -> Proof | None:
    """Run what needs promtool; None if there is none and nothing was asked for that needs it."""
    try:
        return prove_alerts(loaded, request, Promtool.find(), _progress)
    except MissingProgramError as error:
        if request != ProofRequest():
            raise click.ClickException(printable_lines(str(error))) from None
        click.echo(printable_lines(f"no alert was run, see --static: {error}"), err=True)
        return None
    except (PromtoolError, TestFileError, TestWriteError) as error:
        raise click.ClickException(printable_lines(str(error))) from None


def _progress(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(printable_lines(line), err=True)


def _json(report: Report, proof: Proof | None) -> str:
    """The findings, and what was run in the form of the proof."""
    found = json.loads(as_json(replace(report, witnesses=())))
    return json.dumps(found | (proof_json(proof) if proof else {}), indent=2, ensure_ascii=False)


def _show(report: Report, proof: Proof | None, as_: str | None) -> None:
    """Print JSON or SARIF if it was asked for; else tables on a terminal, and lines for other programs."""
    if as_:
        click.echo(_json(report, proof) if as_ == "json" else as_sarif(report))
        return
    console = new_console()
    if console.is_terminal:
        show_findings(console, report)
    else:
        for line in finding_lines(report):
            click.echo(line)
    for line in proof_lines(proof) if proof else ():
        click.echo(printable_lines(line))


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
