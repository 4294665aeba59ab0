"""``tallow generate``: write every generated file, or say which are out of date."""

from __future__ import annotations

from pathlib import Path

import click

from tallow.stack import generate


@click.command("generate")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is out of date.")
@click.option(
    "--root",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The repository; by default the current folder.",
)
def command(check: bool, root: Path) -> None:
    """Write dashboards, rules, routing, Prometheus's configuration and docs/metrics.md from the code."""
    if not (root / "monitoring").is_dir():
        raise click.ClickException(
            f"{root} has no folder monitoring/; run this in the repository or give --root"
        )
    if not check:
        for path in generate.write(root):
            click.echo(f"wrote {path}")
        return
    out_of_date = generate.stale(root)
    for path in out_of_date:
        click.echo(f"{path} is not what the code says; run: tallow generate")
    if out_of_date:
        raise SystemExit(1)
