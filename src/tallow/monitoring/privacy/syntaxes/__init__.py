"""Layer 2: names and values in a text. A syntax finds pairs; layer 1 decides about them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tallow.monitoring.privacy.keys import Keys, is_private
from tallow.monitoring.privacy.model import Key, Needs, Pair, Span, Syntax
from tallow.monitoring.privacy.syntaxes import commands, inserts, tabular
from tallow.monitoring.privacy.syntaxes.assignments import assignments
from tallow.monitoring.privacy.tables.syntaxes import OPTIONS, PATTERNS

PairReader = Callable[[str], Iterator[tuple[Key, int, int]]]

ASSIGNMENT: Final = Syntax(
    "assignment",
    Needs(any_mark="=:>?", name=True),
    lambda _text: iter(()),
    examples=(
        ("retry with password=$ecretPass1 user_count=3", "retry with password=[secret] user_count=3"),
        ('{"password": "my darkest secret", "n": 1}', '{"password": "[secret]", "n": 1}'),
        ("token: abcdefghij refreshed", "token: [secret] refreshed"),
        ("Authorization: Bearer $tok3n", "Authorization: Bearer [credential]"),
        ("Cookie: theme=dark; sid=rosebud", "Cookie: theme=[cookie]; sid=[cookie]"),
        ("DSN=UID=alice;PWD=/hunter2;Encrypt=yes", "DSN=[secret];PWD=[secret];Encrypt=yes"),
    ),
    counterexamples=(
        "password= user=app status=401",
        "authorization: denied role=viewer",
        "cache miss for key session:4711:cart",
        "s.makeKubeConfigController = args",
        '{"password": null, "token": false}',
    ),
    description="A name, a delimiter (`=`, `:`, `=>`, `:=`, `->`, `→`) and a value, in any notation. "
    "Behind `:` in running text one of the status words stands; behind `=` nothing does.",
)
COMMAND: Final = Syntax(
    "command-option",
    Needs(words=commands.WORDS, forms=OPTIONS),
    commands.options,
    examples=(("ldapsearch -D cn=svc -w rosebud -b x", "ldapsearch -D cn=svc -w [secret] -b x"),),
    counterexamples=("docker run -p 8080:80 nginx", "mysql -u root -p shop"),
    description="Short options of commands that take a password.",
)
TABLE: Final = Syntax(
    "table",
    Needs(any_mark="\n"),
    tabular.tables,
    examples=(("id;login;api_key\n1;postgres;rosebud", "id;login;api_key\n1;postgres;[api_key]"),),
    counterexamples=("name,type,required\npassword,string,true",),
    description="Columns under titles, titles beside values: CSV, Markdown, what databases print.",
)
INSERT: Final = Syntax(
    "sql-insert",
    Needs(words="values value", marks="()"),
    inserts.inserted,
    examples=(
        (
            "INSERT INTO users (id, password) VALUES (1, 'rosebud')",
            "INSERT INTO users (id, password) VALUES (1, '[secret]')",
        ),
    ),
    counterexamples=("INSERT INTO users (id, password) VALUES (?, ?)",),
    description="What SQL inserts into the columns it names.",
)

ALL: Final = (ASSIGNMENT, COMMAND, TABLE, INSERT, *PATTERNS)
"""Every syntax, in the order in which the generated page shows them."""


@functools.cache
def _compiled(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    compiled = re.compile(pattern)
    return compiled, [group for group in compiled.groupindex if group.startswith("value")]


def _pattern(pattern: str, name: str) -> Callable[[str], Iterator[Pair]]:
    """A pattern as a reader of pairs. It is compiled when a text could match it for the first time."""

    def find(text: str) -> Iterator[Pair]:
        compiled, groups = _compiled(pattern)
        for found in compiled.finditer(text):
            for group in groups:
                if found[group]:
                    yield Pair(name or found["name"] or found["name2"], *found.span(group))

    return find


class Syntaxes:
    """The syntaxes as one scrubber uses them.

    Args:
        keys: layer 1.
        disable: ids of rows that are left out.
        kinds: markers of these kinds are no values.
    """

    def __init__(self, keys: Keys, disable: frozenset[str], kinds: Sequence[str]) -> None:
        self._keys = keys
        self._endings = keys.endings()
        self._marker = re.compile(rf"\[(?:{'|'.join(kinds)})\]")
        self.rows = [row for row in ALL if row.enabled and row.id not in disable]
        self.finders = [self._finder(row) for row in self.rows]

    def _reader(self, row: Syntax) -> PairReader:
        if row is ASSIGNMENT:
            return lambda text: assignments(text, self._keys.find, self._endings)
        find = row.find if callable(row.find) else _pattern(row.find, row.name)
        return lambda text: self._known(find(text))

    def _known(self, pairs: Iterator[Pair]) -> Iterator[tuple[Key, int, int]]:
        for name, start, end in pairs:
            key = self._keys.find(name)
            if key is not None and key.kind:
                yield key, start, end

    def _finder(self, row: Syntax) -> Callable[[str], list[Span]]:
        """What a row finds in a text that is private."""
        read, named = self._reader(row), row.id if row.name else ""

        def find(text: str) -> list[Span]:
            return [
                (start, end, key.kind, named or key.id)
                for key, start, end in read(text)
                if start < end and not self._is_marked(text, start, end) and is_private(key, text[start:end])
            ]

        return find

    def _is_marked(self, text: str, start: int, end: int) -> bool:
        """Whether a value is a marker, with the last bracket or without."""
        found = self._marker.match(text, start) if text[start] == "[" else None
        return found is not None and found.end() >= end
