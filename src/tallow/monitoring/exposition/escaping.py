"""Escape names outside the classic character set, as requested by ``escaping=`` in the Accept header.

Sources: https://prometheus.io/docs/instrumenting/escaping_schemes; where it leaves a choice,
EscapeMetricFamily and EscapeName of github.com/prometheus/common/model: a name in the classic set is
unchanged under every scheme.
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
    """Return the exposed name of a metric, without quotes.

    A name in the classic set is unchanged. In any other name, ``underscores`` replaces each character
    outside the set by ``_``; ``dots`` replaces ``.`` by ``_dot_``, and ``_`` and other characters by ``__``;
    ``values`` prefixes ``U__`` and replaces ``_`` by ``__`` and other characters by their hexadecimal code
    between underscores; ``allow-utf-8`` changes nothing.

    Args:
        name: the metric's name.
        scheme: one of :data:`SCHEMES`.

    Example:
        >>> metric_name("shop.sales", "dots"), metric_name("shop.sales", "values")
        ('shop_dot_sales', 'U__shop_2e_sales')
    """
    return name if _CLASSIC_METRIC.fullmatch(name) else _escape_name(name, scheme, ":")


@lru_cache(4096)
def label_name(name: str, scheme: str) -> str:
    """Return the exposed name of a label, without quotes: as :func:`metric_name`, but ``:`` is not
    allowed."""
    return name if _CLASSIC_LABEL.fullmatch(name) else _escape_name(name, scheme, "")


def is_classic_metric(name: str) -> bool:
    """Whether a metric's name is exposed without quotes."""
    return _CLASSIC_METRIC.fullmatch(name) is not None


def is_classic_label(name: str) -> bool:
    """Whether a label's name is exposed without quotes."""
    return _CLASSIC_LABEL.fullmatch(name) is not None


def _escape_name(name: str, scheme: str, also_allowed: str) -> str:
    if scheme == ALLOW_UTF_8:
        return name
    replace = {UNDERSCORES: _underscore, DOTS: _dots, VALUES: _value}[scheme]
    written = "".join(
        replace(letter, letter in _LETTERS or letter in also_allowed or (position > 0 and letter in _DIGITS))
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
