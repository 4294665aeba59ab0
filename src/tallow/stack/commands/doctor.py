"""``tallow doctor``: what of the production checklist is not met, and what to do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Final, TextIO

import click
from rich.console import Console
from rich.text import Text

from tallow.stack.commands.options import KNOWN_ERRORS, home_option, require_stack
from tallow.stack.commands.output.terminal import new_console, printable_text
from tallow.stack.doctor.docker.checks import diagnose_docker
from tallow.stack.doctor.docker.installation import DockerInstallation
from tallow.stack.doctor.kubernetes.checks import diagnose_kubernetes
from tallow.stack.doctor.kubernetes.cluster import NAMESPACE, Cluster, from_cluster, from_manifests
from tallow.stack.doctor.model import SEVERITIES, CheckResult, Diagnosis
from tallow.stack.doctor.native.checks import diagnose_native
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines.docker.choice import is_docker
from tallow.stack.engines.state.state_dir import StateDir

_FAILING: Final = {name: SEVERITIES[: position + 1] for position, name in enumerate(SEVERITIES)} | {
    "never": ()
}
_STYLES: Final = {"ok": "green", "warning": "yellow", "error": "bold red", "skipped": "dim"}
_WIDTH: Final = max(map(len, _STYLES))


@click.command("doctor")
@click.option(
    "--url", metavar="URL", help="The address under which users reach Tallow: checks its certificate."
)
@click.option(
    "--engine",
    type=click.Choice(["auto", "kubernetes"]),
    default="auto",
    show_default=True,
    help="auto: that of `tallow up`; kubernetes: a cluster, by kubectl.",
)
@click.option("--namespace", default=NAMESPACE, show_default=True, help="Of Tallow in the cluster.")
@click.option(
    "--manifests",
    type=click.File("r", encoding="utf-8"),
    help="Check what `kubectl kustomize` prints instead of a cluster; - for standard input.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--verbose", "-v", is_flag=True, help="Also what is well and what was skipped.")
@click.option(
    "--fail-on",
    type=click.Choice(list(_FAILING)),
    default="error",
    show_default=True,
    help="The severity of problems with which the exit status is 1.",
)
@home_option
def command(
    url: str | None,
    engine: str,
    namespace: str,
    manifests: TextIO | None,
    as_json: bool,
    verbose: bool,
    fail_on: str,
    home: StateDir,
) -> None:
    """Check this installation against the production checklist, and say what to do.

    An error means that monitoring or protection fails, a warning that production needs more.
    monitoring/PRODUCTION_CHECKLIST.md has all items, also those that no program can check.
    """
    if engine == "kubernetes":
        diagnosis = diagnose_kubernetes(_cluster(manifests, namespace), KNOWN_ERRORS)
    elif is_docker(require_stack(home)):
        diagnosis = diagnose_docker(DockerInstallation(home, _public_url(url)), KNOWN_ERRORS)
    else:
        diagnosis = diagnose_native(Installation(home, _public_url(url)), KNOWN_ERRORS)
    if as_json:
        click.echo(json.dumps(_to_json(diagnosis), indent=2))
    else:
        show(new_console(), diagnosis, verbose=verbose)
    if diagnosis.problems(_FAILING[fail_on]):
        raise SystemExit(1)


def _cluster(manifests: TextIO | None, namespace: str) -> Cluster:
    return from_manifests(manifests.read()) if manifests else from_cluster(namespace)


def _public_url(url: str | None) -> str | None:
    if url is not None and not url.startswith(("https://", "http://")):
        raise click.BadParameter(
            "accepted: an address that starts with https:// or http://", param_hint="--url"
        )
    return url


def _to_json(diagnosis: Diagnosis) -> dict[str, object]:
    checks = [
        {"id": one.id, "title": one.title, "outcome": one.outcome, "skipped": one.skipped}
        | {"problems": [asdict(problem) for problem in one.problems]}
        for one in diagnosis.results
    ]
    return {"engine": diagnosis.engine, "checks": checks}


def show(console: Console, diagnosis: Diagnosis, *, verbose: bool) -> None:
    """Print the checks with problems, or all of them, and a summary in one line."""
    for result in diagnosis.results:
        if verbose or result.problems:
            _show_result(console, result)
    counts = Counter(result.outcome for result in diagnosis.results)
    parts = [f"{counts[outcome]} {outcome}" for outcome in _STYLES if counts[outcome]]
    console.print(printable_text(f"{len(diagnosis.results)} checks: {', '.join(parts)}"), soft_wrap=True)


def _show_result(console: Console, result: CheckResult) -> None:
    outcome = result.outcome
    line = printable_text(f"{outcome:<{_WIDTH}}  ", _STYLES[outcome])
    line.append_text(printable_text(f"{result.id}: {result.title}"))
    console.print(line, soft_wrap=True)
    for problem in result.problems:
        _print_indented(console, printable_text(problem.message))
        _print_indented(console, printable_text(f"→ {problem.remedy}", "cyan"))
    if result.skipped:
        _print_indented(console, printable_text(result.skipped, "dim"))


def _print_indented(console: Console, text: Text) -> None:
    """Print a whole line: a command that is cut off at the terminal's width cannot be copied."""
    console.print(Text(" " * (_WIDTH + 2)).append_text(text), soft_wrap=True)
