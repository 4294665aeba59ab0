"""``tallow scrub``: a text without what is private in it, and which rule found what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final, TextIO

import click

from tallow.monitoring.privacy import Replacement, explain, process_scrubber
from tallow.monitoring.settings import BadSettingError, current_settings

_BLOCK: Final = 131_072
"""Characters that are read together, up to the end of a line: tables and keys reach over several lines."""


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
        current_settings()
    except BadSettingError as error:
        raise click.ClickException(str(error)) from None
    found = False
    try:
        for line, text in _blocks(file):
            findings = explain(text) if explained or check else []
            found = found or bool(findings)
            if check:
                for finding in findings:
                    click.echo(
                        f"{file.name}:{_place(text, finding.start, line)}: {finding.kind} ({finding.rule})"
                    )
            else:
                click.echo(
                    _annotated(text, findings, line) if explained else process_scrubber().text(text), nl=False
                )
    except OSError as error:
        raise click.ClickException(f"{file.name} cannot be read: {error.strerror}") from None
    if check and found:
        sys.exit(1)


def _blocks(file: TextIO) -> Iterator[tuple[int, str]]:
    """Whole lines of about :data:`_BLOCK` characters, and the number of the first."""
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
        where = _place(text, finding.start, line)
        pieces += (
            text[position : finding.start],
            f"[{finding.kind}]{{{finding.rule} {finding.kind} {where}}}",
        )
        position = finding.end
    pieces.append(text[position:])
    return "".join(pieces)


def _place(text: str, offset: int, line: int) -> str:
    """Line and column of an offset, counted from 1."""
    start = text.rfind("\n", 0, offset) + 1
    return f"{line + text.count(chr(10), 0, offset)}:{offset - start + 1}"
