"""``tallow generate``: write every generated file of the repository, or list those that are out of date.

The files of the stack come from that package; docs/settings.md has sections of all packages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

import click

from tallow.cli import variables
from tallow.stack import generate as stack

Files = Mapping[PurePosixPath, str]


def limits() -> Files:
    """The page of the server's limits. It loads the server's settings, hence only when it is called."""
    from tallow.app.server.limits import limits_page

    return limits_page.files()


def report_schema() -> Files:
    """What the page may report."""
    from tallow.app import report_schema as schema

    return schema.files()


SOURCES: Final[tuple[Callable[[], Files], ...]] = (stack.files, variables.files, limits, report_schema)
"""The functions that generate files: each returns content by path in the repository."""


def files() -> dict[PurePosixPath, str]:
    """The content of every generated file, by its path in the repository."""
    return {path: content for source in SOURCES for path, content in source().items()}


def stale(root: Path) -> list[PurePosixPath]:
    """The files under ``root`` that are missing or out of date."""
    return [path for path, content in files().items() if _committed(root / path) != content]


def write(root: Path) -> list[PurePosixPath]:
    """Write the files under ``root`` that are out of date, and return their paths."""
    generated = files()
    changed = [path for path, content in generated.items() if _committed(root / path) != content]
    for path in changed:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(generated[path], encoding="utf-8", newline="\n")
    return changed


@click.command("generate")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is out of date.")
@click.option(
    "--root",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The repository; by default the current folder.",
)
def command(check: bool, root: Path) -> None:
    """Write dashboards, rules, routing, Prometheus's configuration and generated documents from the code."""
    if not (root / "monitoring").is_dir():
        raise click.ClickException(
            f"{root} has no folder monitoring/; run this in the repository or give --root"
        )
    if not check:
        for path in write(root):
            click.echo(f"wrote {path}")
        return
    out_of_date = stale(root)
    for path in out_of_date:
        click.echo(f"{path} is out of date; run: tallow generate")
    if out_of_date:
        raise SystemExit(1)


def _committed(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
