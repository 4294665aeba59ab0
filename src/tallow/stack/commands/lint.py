"""``tallow lint``: check dashboards for what would show nothing, or the wrong thing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from tallow.stack.dashboards import FOLDER
from tallow.stack.lint import Problem, check_dashboard


@click.command(name="lint")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def command(files: tuple[Path, ...]) -> None:
    """Check dashboard FILES (by default all of monitoring/grafana) against the metric catalogue.

    Prints one line for each problem, as `file: panel: rule: message`, and exits with 1 if there is one. The
    rules are explained in docs/lint.md.
    """
    chosen = files or tuple(sorted(Path(FOLDER).glob("*.json")))
    if not chosen:
        raise click.ClickException(f"no dashboards in {FOLDER}; run this in the repository or name the files")
    problems = list(_problems(chosen))
    for problem in problems:
        click.echo(str(problem))
    if problems:
        raise SystemExit(1)


def _problems(files: Iterable[Path]) -> Iterable[Problem]:
    for path in files:
        try:
            dashboard = json.loads(path.read_text(encoding="utf-8"))
        except (UnicodeDecodeError, json.JSONDecodeError) as error:
            raise click.ClickException(f"{path} is not a dashboard in JSON: {error}") from None
        if not isinstance(dashboard, dict) or "panels" not in dashboard:
            raise click.ClickException(f"{path} is not a dashboard: an object with 'panels' is expected")
        yield from check_dashboard(dashboard, where=path.name)
