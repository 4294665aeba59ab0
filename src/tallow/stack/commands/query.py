"""``tallow query``: ask Prometheus, with the password that nobody has to look up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from tallow.stack.commands.options import existing, home_option
from tallow.stack.engines.api import Api
from tallow.stack.engines.home import Home


@click.command("query")
@click.argument("expression")
@click.option("--json", "as_json", is_flag=True, help="For programs: the series as Prometheus gives them.")
@home_option
def command(expression: str, as_json: bool, home: Home) -> None:
    """Evaluate a PromQL EXPRESSION now: one line a series, value first."""
    answer = Api.of("prometheus", existing(home)).get("/api/v1/query", query=expression)["data"]
    found = answer["result"]
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif answer["resultType"] in {"scalar", "string"}:
        click.echo(found[1])
    elif not found:
        click.echo("no series")
    else:
        for series in found:
            click.echo(_line(series))


def _line(series: Mapping[str, Any]) -> str:
    labels = dict(series["metric"])
    name = labels.pop("__name__", "")
    inside = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    value = series["value"][1] if "value" in series else f"{len(series['values'])} samples"
    return f"{value:>16}  {name}{{{inside}}}"
