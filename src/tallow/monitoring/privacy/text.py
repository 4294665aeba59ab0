"""The rules over one text, behind the cheap questions that spare most texts most rules."""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy import assignments, links, network, people, tokens
from tallow.monitoring.privacy.assignments import Classify
from tallow.monitoring.privacy.spans import Span, merged
from tallow.monitoring.privacy.views import views

_SUSPECT: Final = re.compile(r"[@%\\=:/+\d\"'<#&-]")
_DIGITS: Final = re.compile(
    r"\d[ ().\-/]{0,2}\d[ ().\-/]{0,2}\d[ ().\-/]{0,2}\d[ ().\-/]{0,2}\d[ ().\-/]{0,2}\d"
)
_KNOWN: Final = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32}|[0-9a-f]{16}|[0-9a-f]{40}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?|\d{1,7}"
)


def find(text: str, classify: Classify, *, versioned: bool = False) -> list[Span]:
    """The private spans of a text, in order, none overlapping.

    Args:
        text: no longer than the caller can wait for; time is linear in it.
        classify: tells what a key holds.
        versioned: the text stands under a key that vouches for it, so ``1.2.3.4`` is no address.
    """
    if (len(text) < 20 and not _SUSPECT.search(text)) or _KNOWN.fullmatch(text):
        return []
    spans: list[Span] = []
    for view in views(text):
        spans += view.back(_rules(view.text, classify, versioned))
    return merged(spans) if spans else spans


def _rules(text: str, classify: Classify, versioned: bool) -> list[Span]:
    spans: list[Span] = []
    if "@" in text:
        spans += people.emails(text)
    if "/" in text or "\\" in text:
        spans += links.links(text)
        spans += people.homes(text)
    if "=" in text or ":" in text:
        spans += assignments.assigned(text, classify)
    if len(text) >= 8:
        spans += assignments.mentioned(text, classify)
    if "(" in text or "[" in text or "value" in text:
        spans += assignments.listed(text, classify)
    if text.count(":") > 1 or text.count("-") > 4 or text.count(".") > 1:
        spans += network.macs(text)
    if text.count(":") > 1:
        spans += network.ipv6(text)
    if (text.count(".") > 2 and not versioned) or "ip-" in text:
        spans += network.ipv4(text)
    if _DIGITS.search(text):
        spans += people.numbers(text)
        spans += people.accounts(text)
    if len(text) >= 15:
        spans += _tokens(text)
    return spans


def _tokens(text: str) -> list[Span]:
    spans = [*tokens.provider_keys(text), *tokens.schemes(text)]
    if "eyJ" in text:
        spans += tokens.web_tokens(text)
    if "$" in text:
        spans += tokens.password_hashes(text)
    if "PRIVATE KEY" in text:
        spans += tokens.pem(text)
    return spans
