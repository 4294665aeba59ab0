"""Nothing passes under a key that names a secret, whatever the value looks like.

Random keys of the table, random values, any nesting, every syntax in which a name stands before a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tallow.monitoring.privacy import Scrubber, scrub
from tallow.monitoring.privacy.tables.key_names import SECRET

pytestmark = pytest.mark.slow

SCRUBBER = Scrubber()
NAMES = sorted(name for row in SECRET for name in row.names.split())
KINDS = {row.kind for row in SECRET}

SPELLINGS: dict[str, Callable[[str], str]] = {
    "snake": lambda name: name,
    "camel": lambda name: name.split("_")[0] + "".join(map(str.capitalize, name.split("_")[1:])),
    "pascal": lambda name: "".join(map(str.capitalize, name.split("_"))),
    "kebab": lambda name: name.replace("_", "-"),
    "header": lambda name: "-".join(map(str.capitalize, name.split("_"))),
    "capitals": str.upper,
    "joined": lambda name: name.replace("_", ""),
    "dotted": lambda name: "app.client." + name.replace("_", "."),
    "prefixed": lambda name: f"tallow_{name}",
    "numbered": lambda name: f"{name}_2",
    "bracketed": lambda name: f"form[{name}]",
}

FORMS = [
    "my_darkest_secret",
    "$ummer2024",
    "SUMMER_TIME",
    "12.04.1984",
    "/etc/rabbit9",
    "[kitty",
    "<3mydog",
    "***cat",
    ":open_sesame",
    "Summer(2024)",
    "@dmin2024",
    "4711",
    "90s",
    "rosebud",
    "guest",
    "list[abc1",
    "hunter2",
    "correct-horse-battery",
    "true-ish",
    "None1",
    "0x1f2e",
    "1.2.3.4",
    "v1.2.3",
    "SHA256:abcdef",
    "a/b/c",
    "~tilde",
    "%40percent",
    "#hash1",
    "+49",
    "=equals",
    "?what",
    "!bang!",
    "{curly",
    "50%",
    "10ms",
    "self.token",
    "user:4711",
    "2026-11-24",
    "0d9c1e57-7b1f-4b6e-9a53-2b8a4c5f7e11",
    "required",
    "invalid",
    "expired",
]
"""What passwords look like, and what harmless values look like."""

BARE = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"]), min_size=4, max_size=24)
ANY = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=4, max_size=24)
values = st.sampled_from(FORMS) | ANY
names = st.builds(
    lambda name, spell: SPELLINGS[spell](name), st.sampled_from(NAMES), st.sampled_from([*SPELLINGS])
)


def shown(value: Any) -> str:
    """Every leaf and every key, as a reader would see them."""
    if isinstance(value, dict):
        return "\n".join(f"{name}\n{shown(item)}" for name, item in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return "\n".join(map(shown, value))
    return str(value)


def hidden(value: str, name: str, output: str) -> bool:
    """Whether a value is gone; one that is a part of the name, of a marker or of the frame proves nothing."""
    frame = (
        f"{name} {' '.join(f'[{kind}]' for kind in KINDS)} before after note other text body inner deeper 3"
    )
    assume(value not in frame)
    return value not in output


NESTINGS: dict[str, Callable[[str, Any], Any]] = {
    "flat": lambda name, value: {name: value, "rows": 3},
    "deep": lambda name, value: {"a": {"b": [{"c": ({name: value},)}]}},
    "list under it": lambda name, value: {name: ["x1", value]},
    "mapping under it": lambda name, value: {name: {"inner": {"deeper": [value]}}},
    "tuple under it": lambda name, value: {name: (value, 3)},
    "pair in a list": lambda name, value: {"list": [[name, value], ["page", "2"]]},
    "pair in a tuple": lambda name, value: ((name, value), ("page", "2")),
    "octets": lambda name, value: [(name.encode(), value.encode())],
    "name and value": lambda name, value: [{"name": name, "value": value}],
    "key and content": lambda name, value: {"key": name, "content": value},
    "field, old and new": lambda name, value: {"field": name, "old": value, "new": value, "by": 4},
    "validation error": lambda name, value: {"loc": ["body", name], "input": value, "type": "too_short"},
    "option": lambda name, value: ["run", f"--{name}", value],
}


@pytest.mark.parametrize("nesting", NESTINGS)
@given(name=names, value=values)
@settings(max_examples=150)
def test_no_value_passes_under_a_secret_key_of_a_record(nesting: str, name: str, value: str) -> None:
    assume(value.strip())
    if nesting == "option":
        assume(not value.startswith("-"))
    assert hidden(value, name, shown(SCRUBBER.value(NESTINGS[nesting](name, value))))


@given(name=names, value=st.integers() | st.floats(allow_nan=False))
@settings(max_examples=150)
def test_a_number_becomes_text(name: str, value: float) -> None:
    (scrubbed,) = SCRUBBER.value({name: value}).values()
    assert scrubbed.strip("[]") in KINDS


@pytest.mark.parametrize("value", [None, True, False, "", *(f"[{kind}]" for kind in sorted(KINDS))])
@pytest.mark.parametrize("name", ["password", "apiKey", "sessionid"])
def test_only_nothing_booleans_and_markers_pass(name: str, value: Any) -> None:
    assert SCRUBBER.value({name: value}) == {name: value}


QUOTED: dict[str, Callable[[str, str], str]] = {
    "json": lambda name, value: json.dumps({"note": "x", name: value, "other": 3}),
    "json, unescaped": lambda name, value: json.dumps({name: value}, ensure_ascii=False),
    "json in json": lambda name, value: json.dumps({"body": json.dumps({name: value})}),
    "repr": lambda name, value: repr({"note": "x", name: value, "other": 3}),
    "call": lambda name, value: f"Login({name.replace('-', '_')}={value!r}, other=3)",
    "toml": lambda name, value: f"note = 'x'\n{name} = {json.dumps(value)}\nother = 3",
    "yaml": lambda name, value: f"note: x\n{name}: {json.dumps(value)}\nother: 3",
}
PLAIN: dict[str, Callable[[str, str], str]] = {
    "equals": lambda name, value: f"before {name}={value} after",
    "spaced equals": lambda name, value: f"before\n{name} = {value}\nafter",
    "alone": lambda name, value: f"{name}={value}",
    "environment": lambda name, value: f"PATH=/bin {name}={value} LANG=C",
    "export": lambda name, value: f"export {name}={value}",
    "ampersand": lambda name, value: f"/x?other=1&{name}={value}&text=2",
    "semicolon": lambda name, value: f"Server=db;{name}={value};Encrypt=yes",
    "option": lambda name, value: f"run --{name}={value} --other",
    "yaml list": lambda name, value: f"note: x\n{name}:\n  - {value}\nother: 3",
    "yaml mapping": lambda name, value: f"- {name}:\n    inner: {value}\n  other: 3",
}


@pytest.mark.parametrize("syntax", QUOTED)
@given(name=names, value=values)
@settings(max_examples=150)
def test_no_quoted_value_passes_in_a_text(syntax: str, name: str, value: str) -> None:
    assume(value.strip() and name.isascii())
    output = SCRUBBER.value(QUOTED[syntax](name, value))
    assert hidden(value, name, output)
    escaped = json.dumps(value)[1:-1]
    assert escaped in name or hidden(escaped, name, output)


@pytest.mark.parametrize("syntax", PLAIN)
@given(name=names, value=st.sampled_from(FORMS) | BARE)
@settings(max_examples=150)
def test_no_bare_value_passes_in_a_text(syntax: str, name: str, value: str) -> None:
    assume(not re.match(r"[,;&|)\]}][\"'`{(\[]|[,&;|]\S*[=:]", value))
    assume(value not in {"null", "None", "nil", "true", "false", "True", "False"})
    assume(not re.search(r"\\[nrt](?:[\w.-]*[=:]|[\"'`\\]|$)", value))  # an escaped line end ends a value
    assume(not re.search(r"</[A-Za-z][\w:.-]*\s*>", value))  # so does a closing tag
    if syntax == "spaced equals":
        assume(value[0] not in "=>~")
    if syntax.startswith("yaml"):
        assume(value[0] != "#" and value[-1] != ":" and "[" not in name)
    if syntax in {"equals", "alone", "environment", "export", "option", "ampersand", "semicolon"}:
        assume(value[0] not in "=>")
    assert hidden(value, name, SCRUBBER.value(PLAIN[syntax](name, value)))


@pytest.mark.parametrize("form", [one for one in FORMS if one not in {"required", "invalid", "expired"}])
@pytest.mark.parametrize(
    "name", ["password", "api_key", "client_secret", "token", "DB_PASSWORD", "sessionId"]
)
def test_behind_a_colon_in_running_text_the_status_words_alone_stand(name: str, form: str) -> None:
    assert form not in SCRUBBER.value(f"before {name}: {form} after")


@pytest.mark.parametrize(
    "text",
    [
        "password= user=app status=401",
        "user=app password= status=401 token= rows=3",
        "/x?password=&page=2",
        "Server=db;PWD=;Encrypt=yes",
        '{"password": "", "rows": 3}',
        "password:\nuser: app",
    ],
)
def test_an_empty_value_takes_nothing_from_what_follows(text: str) -> None:
    assert SCRUBBER.value(text) == text


@pytest.mark.parametrize(
    "value", ["`\\00", "`)x9", "a`)x9", '"\\q9', 'ab"))x9', "'))x9", "ab))x9", "ab]}x9", "]]x9", 'ab"),cd9']
)
def test_a_quote_or_bracket_that_was_never_opened_is_a_part_of_the_value(value: str) -> None:
    output = SCRUBBER.value(f"before password={value} rows=3")
    assert output == "before password=[secret] rows=3"


@pytest.mark.parametrize("phrase", [",x9zq", ";x9zq", "|x9zq", ", x9zq"])
@pytest.mark.parametrize("name", ["passphrase", "pass_phrase", "--pass-phrase"])
def test_no_phrase_passes_however_it_begins(name: str, phrase: str) -> None:
    if phrase.startswith(", "):
        assert "x9zq" not in scrub(f'{name}="{phrase}" n=4')
    else:
        assert "x9zq" not in scrub(f"{name}={phrase}")


@pytest.mark.parametrize("value", ['""x9zq', "''x9zq", '"ab"x9zq', "'ab'x9zq"])
def test_what_is_joined_to_a_quoted_value_does_not_pass(value: str) -> None:
    assert "x9zq" not in scrub(f"before\npassword = {value}\nafter n=4")
    assert "x9zq" not in scrub(f"run --password={value} --other")
