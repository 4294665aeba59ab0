"""Names outside the classic character set, as a scraper asks for them by ``escaping=`` in its Accept header.

Sources: https://prometheus.io/docs/instrumenting/escaping_schemes; EscapeMetricFamily and EscapeName of
github.com/prometheus/common/model, which are followed where the document leaves a choice: a name in the
classic set stays as it is under every scheme.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

ALLOW_UTF_8: Final = "allow-utf-8"
UNDERSCORES: Final = "underscores"
DOTS: Final = "dots"
VALUES: Final = "values"
SCHEMES: Final = (ALLOW_UTF_8, UNDERSCORES, DOTS, VALUES)

_CLASSIC_METRIC: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_CLASSIC_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LETTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DIGITS: Final = frozenset("0123456789")


@lru_cache(4096)
def metric_name(name: str, scheme: str) -> str:
    """A metric's name as it is exposed, without quotes.

    A name in the classic set is unchanged. Of any other, ``underscores`` replaces each other character by
    ``_``; ``dots`` replaces ``.`` by ``_dot_``, and ``_`` and each other character by ``__``; ``values``
    writes ``U__`` before it, ``__`` for ``_`` and, for each other character, its code in hexadecimal between
    ``_``; ``allow-utf-8`` changes nothing.

    Example: ``metric_name("shop.sales", "dots")`` is ``shop_dot_sales``.
    """
    return name if _CLASSIC_METRIC.fullmatch(name) else _escaped(name, scheme, ":")


@lru_cache(4096)
def label_name(name: str, scheme: str) -> str:
    """A label's name as it is exposed, without quotes: as :func:`metric_name`, but ``:`` is no character of a
    label's name."""
    return name if _CLASSIC_LABEL.fullmatch(name) else _escaped(name, scheme, "")


def is_classic_metric(name: str) -> bool:
    """Whether a metric's name stands in the exposition without quotes."""
    return _CLASSIC_METRIC.fullmatch(name) is not None


def is_classic_label(name: str) -> bool:
    """Whether a label's name stands in the exposition without quotes."""
    return _CLASSIC_LABEL.fullmatch(name) is not None


def _escaped(name: str, scheme: str, more: str) -> str:
    if scheme == ALLOW_UTF_8:
        return name
    replace = {UNDERSCORES: _underscore, DOTS: _dots, VALUES: _value}[scheme]
    written = "".join(
        replace(letter, letter in _LETTERS or letter in more or (position > 0 and letter in _DIGITS))
        for position, letter in enumerate(name)
    )
    return f"U__{written}" if scheme == VALUES else written


def _underscore(letter: str, classic: bool) -> str:
    return letter if classic else "_"


def _dots(letter: str, classic: bool) -> str:
    if letter == ".":
        return "_dot_"
    return letter if classic else "__"


def _value(letter: str, classic: bool) -> str:
    if letter == "_":
        return "__"
    return letter if classic else f"_{ord(letter):x}_"
