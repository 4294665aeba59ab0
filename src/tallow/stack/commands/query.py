"""``tallow query``: evaluate a PromQL expression on the stack's Prometheus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import click

from tallow.stack.commands.options import home_option, require_stack
from tallow.stack.commands.output.terminal import printable_lines
from tallow.stack.engines.services.api import Api
from tallow.stack.engines.state.state_dir import StateDir


@click.command("query")
@click.argument("expression")
@click.option("--json", "as_json", is_flag=True, help="For programs: the series as Prometheus gives them.")
@home_option
def command(expression: str, as_json: bool, home: StateDir) -> None:
    """Evaluate a PromQL EXPRESSION now: one line for each series, with the value first."""
    api = Api.of("prometheus", require_stack(home))
    with api.reading():
        answer = api.get("/api/v1/query", query=expression)["data"]
        lines = _lines(answer["resultType"], answer["result"])
    if as_json:
        lines = [json.dumps(answer["result"], indent=2)]
    for line in lines:
        click.echo(printable_lines(line))


def _lines(kind: str, result: Any) -> list[str]:
    """A result as text: one line per series, or the value of a scalar."""
    if kind in {"scalar", "string"}:
        return [str(result[1])]
    return [_line(series) for series in result] or ["no series"]


def _line(series: Mapping[str, Any]) -> str:
    labels = dict(series["metric"])
    name = labels.pop("__name__", "")
    inside = ", ".join(f'{label}="{value}"' for label, value in labels.items())
    value = series["value"][1] if "value" in series else f"{len(series['values'])} samples"
    return f"{value:>16}  {name}{{{inside}}}"
