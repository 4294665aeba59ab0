"""The rules over notations that few texts are in, behind their own cheap questions."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.privacy import commands, dumps, listings, mentions, network, protocols, tables
from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.spans import Span

_DIRECTIVES: Final = (
    "ENV ", "ARG ", "SetEnv", "setenv", "set -", "setx", "fastcgi_param", "uwsgi_param", "proxy_",
    "add_header",
    "http-request", "Header set", "grpc_",
)  # fmt: skip


def lines(text: str, classify: Classify, spans: list[Span]) -> None:
    """Of a text with several lines: tables, lines of configuration."""
    if (
        "," in text
        or "|" in text
        or "\t" in text
        or ";" in text
        or "---" in text
        or "│" in text
        or "===" in text
    ):
        spans += tables.tabulated(text, classify)
    if text.count(":") > 3:
        spans += dumps.pgpass(text)
    if any(directive in text for directive in _DIRECTIVES):
        spans += dumps.directed(text, classify)


def line(text: str, classify: Classify, spans: list[Span]) -> None:
    """Of a single line: what it sets, if that is what it does."""
    if text.lstrip().startswith(_DIRECTIVES):
        spans += dumps.directed(text, classify)


def marks(text: str, classify: Classify, spans: list[Span], *, quoted: bool) -> None:
    """Of a text with quotes, brackets or braces: forms, markup, tuples."""
    if "</" in text:
        spans += mentions.tagged(text, classify)
    if quoted and ("', " in text or '", ' in text or "','" in text or '","' in text):
        spans += listings.pairs(text, classify)
    if ")=(" in text or "[parameters: " in text or "row contains" in text:
        spans += listings.failing(text, classify)
    spans += dumps.written(text, classify, marked=quoted)


def spoken(text: str, spans: list[Span]) -> None:
    """Of a text that speaks of proving who somebody is: protocols."""
    if "AUTH" in text:
        spans += mentions.redis_auth(text)
    if "AUTH" in text or "PASS " in text or " LOGIN " in text or "inline:" in text or "334" in text:
        spans += protocols.spoken(text)


def words(text: str, lower: str, classify: Classify, spans: list[Span]) -> None:
    """Of a text with certain words: commands, protocols, counted keys."""
    if '": ' not in text and (
        "pass" in lower
        or "user" in lower
        or "login" in lower
        or "sql" in lower
        or "echo " in lower
        or "unseal" in lower
    ):
        spans += commands.positional(text)
    if "/p" in lower or "/rp:" in lower:
        spans += commands.slashed(text)
    if "ident" in lower or "setuser" in lower or "register" in lower:
        spans += protocols.commanded(text, lower)
    if "value" in lower:
        spans += listings.named_values(text, classify)
        spans += listings.inserted(text, classify)
        spans += dumps.value_first(text, classify)


def hyphens(text: str, classify: Classify, spans: list[Span], *, quoted: bool) -> None:
    """Of a text with a hyphen: options of commands."""
    if " -" in text or text[0] == "-" or quoted:
        spans += mentions.flagged(text, classify)
        if " -" in text or '"-' in text or "'-" in text:
            spans += commands.passwords(text)
    if "ip-" in text:
        spans += network.cloud_names(text)
