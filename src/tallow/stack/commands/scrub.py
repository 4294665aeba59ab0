"""``tallow scrub``: redact private data in a text, and show which rule found what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final, TextIO

import click

from tallow.monitoring.privacy import Replacement, explain, process_scrubber
from tallow.monitoring.settings import BadSettingError, MonitoringSettings

_BLOCK: Final = 131_072
"""Characters that are scrubbed together, up to the end of a line: tables and keys span several lines."""


@click.command("scrub")
@click.argument("file", required=False, type=click.File("r", encoding="utf-8", errors="replace"), default="-")
@click.option(
    "--explain", "explained", is_flag=True, help="Behind each replacement: rule, kind and line:column."
)
@click.option(
    "--check", is_flag=True, help="Write a line for each finding, no text; exit with 1 if there is one."
)
def command(file: TextIO, explained: bool, check: bool) -> None:
    """Write FILE, or standard input, without what is private in it.

    The scrubber is that of logs and error reports, with SCRUB_DISABLE, SCRUB_SECRET_KEYS and SCRUB_KEEP_KEYS.
    """
    try:
        MonitoringSettings.load()
    except BadSettingError as error:
        raise click.ClickException(str(error)) from None
    try:
        if check:
            sys.exit(_report(file))
        for line, text in _blocks(file):
            click.echo(
                _annotated(text, explain(text), line) if explained else process_scrubber().text(text),
                nl=False,
            )
    except OSError as error:
        raise click.ClickException(f"{file.name} cannot be read: {error.strerror}") from None


def _report(file: TextIO) -> int:
    """Print a line for each finding: 1 if there is one, otherwise 0."""
    status = 0
    for line, text in _blocks(file):
        for finding in explain(text):
            click.echo(f"{file.name}:{_position(text, finding.start, line)}: {finding.kind} ({finding.rule})")
            status = 1
    return status


def _blocks(file: TextIO) -> Iterator[tuple[int, str]]:
    """Blocks of whole lines of about :data:`_BLOCK` characters, with the number of their first line."""
    number = 1
    while text := file.read(_BLOCK):
        text += file.readline()
        yield number, text
        number += text.count("\n")


def _annotated(text: str, findings: list[Replacement], line: int) -> str:
    """The scrubbed text with the rule behind each replacement."""
    pieces: list[str] = []
    position = 0
    for finding in findings:
        position_text = _position(text, finding.start, line)
        pieces += (
            text[position : finding.start],
            f"[{finding.kind}]{{{finding.rule} {finding.kind} {position_text}}}",
        )
        position = finding.end
    pieces.append(text[position:])
    return "".join(pieces)


def _position(text: str, offset: int, line: int) -> str:
    """Line and column of an offset, counted from 1."""
    start = text.rfind("\n", 0, offset) + 1
    return f"{line + text.count(chr(10), 0, offset)}:{offset - start + 1}"
