"""Parse expositions: the text format of Prometheus, and OpenMetrics."""

from __future__ import annotations

import re
from typing import Final

from tallow.stack.prove.metrics.model import TYPES, KnownMetrics, SeriesFamily

_TYPE: Final = re.compile(r"#\s*TYPE\s+(\S+)\s+(\w+)\s*$")
_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL: Final = re.compile(
    r'\s*,?\s*(?:"((?:[^"\\]|\\.)*)"|([a-zA-Z_][a-zA-Z0-9_]*))\s*=\s*"((?:[^"\\]|\\.)*)"'
)
_QUOTED_NAME: Final = re.compile(r'\s*"((?:[^"\\]|\\.)*)"\s*(?=[,}])')
_ESCAPES: Final = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}
_PARTS: Final = ("_bucket", "_sum", "_count", "_total", "_created", "_info")
_METRIC_TYPES: Final = {
    "unknown": "",
    "untyped": "",
    "info": "gauge",
    "stateset": "gauge",
    "gaugehistogram": "",
}


class ExpositionError(Exception):
    """A text is not an exposition. The text of the error is one line."""


def parse_exposition(text: str, origin: str) -> KnownMetrics:
    """The series families of an exposition.

    Args:
        text: in the text format, or OpenMetrics.
        origin: for messages.

    Raises:
        ExpositionError: a line is neither a comment nor a sample, or there is no sample.

    Example:
        >>> known = parse_exposition('# TYPE a_total counter\\na_total{b="c"} 1\\n', "a")
        >>> known.families["a_total"].type, known.families["a_total"].labels["b"]
        ('counter', frozenset({'c'}))
    """
    types: dict[str, str] = {}
    labels: dict[str, dict[str, set[str]]] = {}
    common: dict[str, frozenset[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("#") or not line.strip():
            if found := _TYPE.match(line):
                types[found[1].strip('"')] = _METRIC_TYPES.get(found[2], found[2])
            continue
        name, pairs = _sample(line, f"{origin}:{number}")
        values = labels.setdefault(name, {})
        names = frozenset(label for label, _ in pairs)
        common[name] = common.get(name, names) & names
        for label, value in pairs:
            values.setdefault(label, set()).add(value)
    if not labels:
        raise ExpositionError(f"{origin}: no samples; an exposition as /metrics answers is expected")
    families = {
        name: SeriesFamily(
            name,
            _type_of(name, types),
            {label: frozenset(found) for label, found in values.items()},
            common[name],
        )
        for name, values in labels.items()
    }
    return KnownMetrics(origin, families)


def _type_of(name: str, types: dict[str, str]) -> str:
    """The type of a series name: that of its metric, which may have no suffix."""
    stems = [name, *(name.removesuffix(part) for part in _PARTS if name.endswith(part))]
    found = next((types[stem] for stem in stems if stem in types), "")
    return found if found in TYPES else ""


def _sample(line: str, where: str) -> tuple[str, list[tuple[str, str]]]:
    """The name and the labels of a sample."""
    found = _NAME.match(line)
    name, rest = (found[0], line[found.end() :]) if found else ("", line)
    pairs: list[tuple[str, str]] = []
    if rest.startswith("{"):
        name, pairs, rest = _braces(name, rest[1:], where)
    if not name or not _is_value(rest):
        raise ExpositionError(f"{where}: not a sample of an exposition")
    return name, pairs


def _braces(name: str, rest: str, where: str) -> tuple[str, list[tuple[str, str]], str]:
    pairs = []
    if not name and (quoted := _QUOTED_NAME.match(rest)):
        name, rest = _unescaped(quoted[1]), rest[quoted.end() :]
    while found := _LABEL.match(rest):
        pairs.append((_unescaped(found[1]) if found[1] else found[2], _unescaped(found[3])))
        rest = rest[found.end() :]
    rest = rest.lstrip(" ,")
    if not rest.startswith("}"):
        raise ExpositionError(f"{where}: not a sample of an exposition")
    return name, pairs, rest[1:]


def _is_value(rest: str) -> bool:
    words = rest.partition(" # ")[0].split()
    try:
        return len(words) in (1, 2) and float(words[0]) is not None
    except ValueError:
        return False


def _unescaped(text: str) -> str:
    return re.sub(r'\\[n"\\]', lambda found: _ESCAPES[found[0]], text)
