"""``tallow lint``: find panels that show nothing, alerts that never fire, receivers that notify nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from tallow.stack import alerts, routing
from tallow.stack.dashboards import FOLDER
from tallow.stack.lint import Problem, check_alert, check_dashboard, check_receivers
from tallow.stack.lint.coverage import gather_evidence


@click.command(name="lint")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(files: tuple[Path, ...]) -> None:
    """Check dashboard FILES against the catalogue; by default all of monitoring/grafana, and the alerts.

    Prints one line for each problem, as `file: panel: rule: message`, and exits with 1 if there is one. The
    rules are explained in docs/lint.md.
    """
    chosen = files or tuple(sorted(Path(FOLDER).glob("*.json")))
    if not chosen:
        raise click.ClickException(f"no dashboards in {FOLDER}; run this in the repository or name the files")
    problems = list(_problems(chosen))
    if not files:
        problems += _alerts(Path())
    for problem in problems:
        click.echo(str(problem))
    if problems:
        raise SystemExit(1)


def _alerts(root: Path) -> Iterable[Problem]:
    evidence = gather_evidence(root)
    for path, groups in ((alerts.CORE_PATH, alerts.CORE), (alerts.EXTRA_PATH, alerts.EXTRA)):
        for rules in groups.values():
            for rule in rules:
                yield from check_alert(rule, evidence, where=f"{path.name}: {rule.name}")
    for file, content in routing.files().items():
        if file.suffix == ".yml":
            yield from check_receivers(content, where=file.name)


def _problems(files: Iterable[Path]) -> Iterable[Problem]:
    for path in files:
        try:
            dashboard = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise click.ClickException(f"{path} is not a dashboard in JSON: {error}") from None
        if not isinstance(dashboard, dict) or "panels" not in dashboard:
            raise click.ClickException(f"{path} is not a dashboard: an object with 'panels' is expected")
        try:
            yield from list(check_dashboard(dashboard, where=path.name))
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            reason = f"{error} is missing" if isinstance(error, KeyError) else "a value has the wrong type"
            raise click.ClickException(f"{path} is not a dashboard as Grafana exports it: {reason}") from None
