"""Digits that identify somebody: telephones, cards, accounts, social security. Each passes its checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.validators import is_card, is_iban, is_international, is_ssn

# Look-behinds stand after the first character, so that the search can skip to it.
_CARD: Final = re.compile(
    r"\d(?<![\dA-Za-z.]\d)(?<!\d-\d)(?:\d{12,18}"
    r"|\d{3}([ -])(?:\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3}(?!\d))?|\d{6}\1\d{4,5}))(?!\d|[.]\d|-\d)"
)
"""Plain, or in the groups that are printed on cards, whatever numbers stand beside them."""
_LOOSE: Final = re.compile(r"\d(?<![\dA-Za-z.]\d)(?<!\d[ -]\d)(?:[ -]?\d){12,18}(?!\d|[.]\d|[ -]\d)")
"""In any groups, alone."""
_IBAN: Final = re.compile(r"\d(?<=[A-Za-z]{2}\d)(?<![A-Za-z0-9]{3}\d)\d(?:[ -]?[A-Za-z0-9]){11,30}")
_SSN: Final = re.compile(r"\d(?<![\d-]\d)(\d\d)-(\d\d)-(\d{4})(?![\d-]*\d)")
_PLUS: Final = re.compile(r"\+(?<![\w.+]\+)\s?(\(?\d(?:[ ().\-/]{0,2}\d){7,14})(?!\d)")
_ZEROS: Final = re.compile(r"00(?<![\w.+:\-]00)(?=[1-9])(\d(?:[ ().\-/]{0,2}\d){7,14})(?!\d)")
_NATIONAL: Final = re.compile(
    r"[\d(](?<![\w.+\-/:][\d(])(?<!\d [\d(])(?:"
    r"(?<=1)[ .-](?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)"
    r"|(?<=\()[2-9]\d{2}\) ?\d{3}[ .-]\d{4}(?![\w-]|\.\d)"
    r"|(?<=[2-9])\d{2}[ .-]\d{3}[ .-]\d{4}(?![\w-]|\.\d)"
    r"|(?:(?<=0)|(?<=\()0)[1-9]\d{1,3}\)?[ /-]\d{3,8}(?:[ -]\d{3,5}){0,2}(?![\w:-]|\.\d)"
    r"|(?<=0)[1-9](?:[ .-]\d{2}){4}(?![\w:-]))"
)
_CALLS: Final = (
    "phone", "tel", "mobile", "cell", "sms", "call", "dial", "text", "fax", "whatsapp", "caller", "contact",
    "sms to number", "telefone", "telefono", "teléfono", "telefon", "telephone", "téléphone", "celular",
    "móvil", "rufnummer", "телефон", "電話", "电话", "전화",
)  # fmt: skip
_EVERYDAY: Final = frozenset({"call", "cell", "text", "dial"})
"""Words that stand before other numbers too: those have to be longer."""
_CALLED: Final = re.compile(
    r"(?:ed|ing|\.)?(?:(?: sent)? (?:number|to number|to|at|me at|no\.?|is|from))?[ :=]{1,3}"
    r"(\(?\d(?:[ ().-]{0,2}\d){6,14})(?![\w])"
)
_DATE: Final = re.compile(r"\d{1,2}[-/]\d{1,2}[-/]\d{4}|\d{4}[-/]\d\d[-/]\d\d")
_UNIT: Final = re.compile(r"\s?(?:[KMGT]?i?B|bytes|octets|[nmuµ]?s|seconds|items|rows|records)\b")
_NUMBERED: Final = re.compile(
    r"(?:(?:^|[_\W])(?:id|ids|ns|seq|offset|time|ts|count|bytes|size|nonce|timestamp|order|sku|isbn|ean|total|length|sent"
    r"|received|limit|version|serial)|[a-z](?:Id|ID|Size|Bytes|Count))[\"']?[=: ]{1,3}$",
    re.IGNORECASE,
)

_BETWEEN: Final = re.compile(r"[ -]")
_FOURS_BEFORE: Final = re.compile(r"(?:(?<!\d)\d{4} ){1,2}$")
_FOURS_BEHIND: Final = re.compile(r"(?: \d{4}\b){1,2}(?!(?: \d{4}){2})")


def cards(text: str) -> Iterator[Span]:
    """Payment cards, plain or in groups (ISO 7812)."""
    place, last = 0, -2
    while found := _CARD.search(text, place):
        start, end = found.span()
        place = start + 1  # groups before a card may look like the beginning of one
        if len(found[0]) > 19 and not _is_card(found[0]):
            end = start + 19  # four groups, and what stands behind them: 12/27, 345
        if found[1] == " " and start - 1 != last and _is_in_table(text, start, end):
            continue
        if _is_card(text[start:end]) and not _is_counted(text, start, end):
            place = last = end
            yield start, end, "card"
    for found in _LOOSE.finditer(text):
        sizes = [len(group) for group in _BETWEEN.split(found[0])]
        grouped = len(sizes) > 1 and (sizes[0] > 3 or set(sizes) == {1})
        if grouped and _is_card(found[0]) and not _is_counted(text, *found.span()):
            yield (*found.span(), "card")


def _is_card(text: str) -> bool:
    return is_card(text.replace(" ", "").replace("-", ""))


def _is_in_table(text: str, start: int, end: int) -> bool:
    """Whether two more groups of four stand around, not of another card: columns, a dump of memory."""
    before = _FOURS_BEFORE.search(text[max(0, start - 10) : start])
    behind = _FOURS_BEHIND.match(text, end)
    return (len(before[0]) if before else 0) + (len(behind[0]) if behind else 0) >= 10


def _is_counted(text: str, start: int, end: int) -> bool:
    """Whether the text says that a number is an identifier, a time, an amount."""
    before = text[max(0, start - 16) : start]
    return _NUMBERED.search(before) is not None or _UNIT.match(text, end) is not None


def accounts(text: str) -> Iterator[Span]:
    """Bank accounts (ISO 13616)."""
    for found in _IBAN.finditer(text):
        start, parts = found.start() - 2, text[found.start() - 2 : found.end()]
        while len(parts) >= 15:
            if is_iban(parts.replace(" ", "").replace("-", "")):
                yield start, start + len(parts), "iban"
                break
            parts = parts[:-1]


def social_security(text: str) -> Iterator[Span]:
    """United States social security numbers with their hyphens."""
    for found in _SSN.finditer(text):
        if is_ssn(found[0][:3], found[2], found[3]):
            yield (*found.span(), "ssn")


def phones(text: str, groups: bytes) -> Iterator[Span]:
    """Telephone numbers: international (E.164) or in the national forms of many countries.

    Args:
        text: to be searched.
        groups: for each character ``0`` if it is a digit, ``_`` if it can stand between groups of them.
    """
    if "+" in text or "00" in text:
        for pattern in (_PLUS, _ZEROS):
            for found in pattern.finditer(text):
                digits = "".join(filter(str.isdigit, found[1]))
                if is_international(digits) and not _UNIT.match(text, found.end()):
                    yield (*found.span(), "phone")
    if b"000_000" in groups or b"00_00_00_00" in groups or b"000__000" in groups:
        for found in _NATIONAL.finditer(text):
            count = sum(map(str.isdigit, found[0]))
            if 9 <= count <= 12 and not _DATE.match(found[0]) and not _UNIT.match(text, found.end()):
                yield (*found.span(), "phone")


def called(text: str) -> Iterator[Span]:
    """Digits of any form that the text calls a telephone number."""
    lower = text.lower()
    for word in _CALLS:
        place = lower.find(word)
        while place >= 0:
            found = _CALLED.match(lower, place + len(word))
            if found and not (
                _UNIT.match(text, found.end()) or _DATE.match(found[1]) or _is_count(word, found[1])
            ):
                yield (*found.span(1), "phone")
            place = lower.find(word, place + 1)


def _is_count(word: str, digits: str) -> bool:
    return word in _EVERYDAY and digits.isdigit() and len(digits) < 9
