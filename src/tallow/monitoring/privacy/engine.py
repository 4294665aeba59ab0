"""The scrubber: text or nested record in, the same shape out, nothing private left."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from tallow.monitoring.privacy import detectors, name_value, syntaxes
from tallow.monitoring.privacy.keys import LONGEST_NAME, MOST_NAMES, Keys
from tallow.monitoring.privacy.model import DROPPED, Key, Rule, Span, marker
from tallow.monitoring.privacy.prefilter.prefilter import DIGITS
from tallow.monitoring.privacy.tables import key_names
from tallow.monitoring.privacy.text import TextReader
from tallow.monitoring.privacy.walk import PASSING, SMALLEST_CARD, Walk

LONGEST: Final = 262_144
"""Characters of one text that are read; the rest is dropped."""
_CUT: Final = 4_096
"""How far before :data:`LONGEST` a gap is looked for, so that no value is cut in two."""
LONGEST_TEMPLATE: Final = 96
"""Characters of a text whose template may be remembered as clean."""
MOST_TEMPLATES: Final = 4_096
LONGEST_COMMAND: Final = 4_096
"""Characters of a command's arguments that are read together."""
_HEX: Final = bytes.maketrans(b"123456789abcdef", b"0" * 15)
_IDS: Final = {b"0" * 32, b"0" * 40, b"-".join(b"0" * size for size in (8, 4, 4, 4, 12))}
_ID_SIZES: Final = frozenset(map(len, _IDS))
_SHORT: Final = 12
"""Characters of a word of letters and digits in which no rule can find anything."""
_HALVES: Final = re.compile("[\ud800-\udfff]")
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")


class RedactionCounter(Protocol):
    """Counts redactions: :class:`tallow.monitoring.metrics.Metrics` does."""

    def record_redaction(self, kind: str, count: int = 1) -> None:
        """``count`` values of a kind were replaced."""


Recorder = Callable[[str, str, int, int], None]
"""Called for each replacement: rule id, kind, start and end in the text (0, 0 for a whole value)."""


class Scrubber:
    """Replaces private values by their kind: ``[email]``. Safe to share between threads.

    The output depends on the input and the arguments alone. Answers for a bounded number of names and
    templates are cached; they depend on nothing else. Values are not cached.

    Args:
        disable: ids of rules, syntaxes and key rows that are left out.
        extra: more rules, applied last.
        extra_keys: more secret names, and the kind of each.
        keep_keys: names of the PERSONAL table that are not private here.
        counter: counts each redaction; None: they are not counted.

    Raises:
        ValueError: an id is unknown, a kept key names a secret, or a rule or a kind cannot be used.

    Example:
        >>> Scrubber(disable={"us-phone"}, extra_keys={"patient": "user"}).value({"patient": "Ann"})
        {'patient': '[user]'}
    """

    def __init__(
        self,
        *,
        disable: Iterable[str] = (),
        extra: Iterable[Rule] = (),
        extra_keys: Mapping[str, str] | None = None,
        keep_keys: Iterable[str] = (),
        counter: RedactionCounter | None = None,
    ) -> None:
        extra, disabled = tuple(extra), frozenset(disable)
        _check(disabled, extra, extra_keys or {})
        kinds = sorted({*KINDS, *(rule.kind for rule in extra), *(extra_keys or {}).values()})
        self.keys = Keys(disabled, extra_keys, keep_keys)
        self.marker = re.compile(rf"\[(?:{'|'.join(kinds)})\]")
        rows = syntaxes.Syntaxes(self.keys, disabled, kinds)
        self._reader = TextReader(rows, detectors.Detectors(disabled, extra), self.keys.endings())
        self._counter = counter
        self._recorder: Recorder | None = None
        self._clean: set[bytes] = set()
        self._plain_names: set[str] = set()
        self.harmless: set[str] = set()

    def text(self, text: str) -> str:
        """The text, its private spans replaced. Never raises; a text that cannot be scrubbed is dropped."""
        scrubbed = self.value(text)
        return scrubbed if isinstance(scrubbed, str) else DROPPED

    def record(self, record: Mapping[Any, Any]) -> dict[str, Any]:
        """A mapping as a new dictionary, scrubbed by key and by value. Never raises."""
        scrubbed = self.value(record)
        return scrubbed if isinstance(scrubbed, dict) else {}

    def value(self, value: Any) -> Any:
        """Any value, scrubbed, in the same shape. The caller's value is not changed.

        Never raises. What cannot be scrubbed is :data:`DROPPED`, for this value alone.
        """
        try:
            if type(value) is str:
                return self.read(value)
            if type(value) is dict and (flat := self._flat(value)) is not None:
                return flat
            return Walk(self).value(value, None)
        except Exception:  # noqa: BLE001 - whatever went wrong, the value must not leave unread
            return DROPPED

    def read(self, text: str) -> str:
        """The text, its private spans replaced."""
        size = len(text)
        if size <= _SHORT and text.isalnum():
            return text
        if size <= LONGEST_TEMPLATE and text.isascii():
            octets = text.encode()
            if size in _ID_SIZES and octets.translate(_HEX) in _IDS:
                return text
            shape = octets.translate(DIGITS)  # as template() does, without a call
            if shape in self._clean or self._is_clean(shape):
                return text
        elif size > LONGEST:
            return self.read(text[: _cut(text)]) + DROPPED
        return self._searched(text)

    def _searched(self, text: str) -> str:
        """A text that some rule may match, its private spans replaced."""
        spans = self._reader.spans(text)
        return self._replaced(text, spans) if spans else _encodable(text)

    def _is_clean(self, shape: bytes) -> bool:
        """Whether no rule can match a text of this template, whatever its digits are."""
        if self._reader.plan(shape) is not None:
            return False
        if len(self._clean) >= MOST_TEMPLATES:
            self._clean.clear()
        self._clean.add(shape)
        return True

    def _replaced(self, text: str, spans: list[Span]) -> str:
        pieces: list[str] = []
        position = 0
        for start, end, kind, rule in spans:
            pieces += (text[position:start], self.masked(kind, rule, start, end))
            position = end
        pieces.append(text[position:])
        return _encodable("".join(pieces))

    def masked(self, kind: str, rule: str, start: int = 0, end: int = 0) -> str:
        """The marker of a kind. Counts one redaction."""
        if self._counter is not None:
            self._counter.record_redaction(kind)
        if self._recorder is not None:
            self._recorder(rule, kind, start, end)
        return marker(kind)

    def listen(self, recorder: Recorder) -> None:
        """Report each replacement to ``recorder`` and count none. For a copy that one caller uses."""
        self._recorder, self._counter = recorder, None
        self._clean, self._plain_names, self.harmless = set(), set(), set()

    def key(self, name: str) -> Key | None:
        """What a key of this name holds."""
        return self.keys.find(name)

    def name(self, name: str, key: Key | None) -> str:
        """The name of a key, scrubbed like a text."""
        shown = self.read(name)
        if shown == name and len(name) <= LONGEST_NAME and name_value.is_ordinary(name):
            _remember(self._plain_names, name, MOST_NAMES)
            if key is None:
                _remember(self.harmless, name, MOST_NAMES)
        return shown

    def is_marker(self, text: str) -> bool:
        """Whether a text is the marker of a replaced value."""
        return text[:1] == "[" and self.marker.fullmatch(text) is not None

    def arguments(self, items: list[str]) -> dict[int, str]:
        """The scrubbed arguments of a command by position; arguments without secrets are left out."""
        replaced: dict[int, str] = {}
        start = 0
        spans = self._reader.spans(" ".join(items)[:LONGEST_COMMAND])
        for place, item in enumerate(items):
            end = start + len(item)
            inside = [
                (max(first, start) - start, min(last, end) - start, kind, rule)
                for first, last, kind, rule in spans
                if first < end and last > start
            ]
            if inside:
                replaced[place] = self._replaced(item, inside)
            start = end + 1
        return replaced

    def _flat(self, record: dict[Any, Any]) -> dict[str, Any] | None:
        """A flat record with ordinary keys that were read before, scrubbed; None for any other record."""
        if not self._plain_names.issuperset(record):
            return None
        result = record.copy()
        for name, item in record.items():
            kind = type(item)
            if kind is str:
                shown = self.read(item)
                if shown is not item:
                    if name not in self.harmless:
                        return None  # a version, a count: a walk asks the key's check
                    result[name] = shown
            elif kind is int:
                if item >= SMALLEST_CARD:
                    return None
            elif kind not in PASSING:
                return None
        return result


KINDS: Final = tuple(
    sorted(
        {row.kind for row in (*key_names.SECRET, *key_names.PERSONAL)} | {rule.kind for rule in detectors.ALL}
    )
)
"""Every kind that the tables know."""
IDS: Final = frozenset(
    row.id
    for rows in (detectors.ALL, syntaxes.ALL, key_names.SECRET, key_names.PERSONAL, key_names.PLAIN)
    for row in rows
)
"""Every id that can be switched off."""
SECRET_IDS: Final = frozenset(row.id for row in key_names.SECRET)
"""Ids of rows that no setting can switch off."""


def _cut(text: str) -> int:
    """Where a text that is too long is cut: at the last blank, comma or line end before the limit."""
    gap = max(text.rfind(mark, LONGEST - _CUT, LONGEST) for mark in " \n,")
    return gap if gap > 0 else LONGEST - _CUT


def _remember(known: set[Any], answer: Any, most: int) -> None:
    if len(known) >= most:
        known.clear()
    known.add(answer)


def _encodable(text: str) -> str:
    """The text with ``�`` for each half of a surrogate pair, which UTF-8 cannot encode."""
    return text if text.isascii() or text.isprintable() else _HALVES.sub("�", text)


def _check(disabled: frozenset[str], extra: tuple[Rule, ...], extra_keys: Mapping[str, str]) -> None:
    unknown = sorted(disabled - IDS - {rule.id for rule in extra})
    if unknown:
        raise ValueError(f"no rule is called {unknown[0]!r}; accepted: the ids in docs/privacy-rules.md")
    for rule in extra:
        if rule.id in IDS:
            raise ValueError(
                f"the rule {rule.id!r} exists; accepted: an id that is not in docs/privacy-rules.md"
            )
    for kind in (*(rule.kind for rule in extra), *extra_keys.values()):
        if not _KIND.fullmatch(kind):
            raise ValueError(f"the kind {kind!r} cannot be used; accepted: lower-case letters, digits and _")
