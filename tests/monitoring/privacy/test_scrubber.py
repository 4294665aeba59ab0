"""The scrubber removes what is private, keeps what an operator needs, and never harms its caller."""

from __future__ import annotations

from typing import Any

import pytest

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.privacy import Scrubber

PRIVATE = [
    ("mail from ann.lee+shop@mail.example.org today", "ann.lee", "email"),
    ("to=ann%40mail.example.org&x=1", "ann", "email"),
    ("an ánna@bücher.example wrote", "bücher", "email"),
    ("peer 203.0.113.77:443 left", "203.0.113.77", "ip"),
    ("client_203.0.113.77_log", "203.0.113.77", "ip"),
    ("at 2001:db8:85a3::8a2e:370:7334 now", "8a2e", "ip"),
    ("from ::ffff:203.0.113.9 now", "203.0.113.9", "ip"),
    ("nic 3c:52:82:1f:aa:0b up", "3c:52:82", "mac"),
    ("call +49 30 9018 2000 now", "9018", "phone"),
    ("call (415) 555-0132 now", "555-0132", "phone"),
    ("card 4111 1111 1111 1111 declined", "4111", "card"),
    ("pay DE89 3704 0044 0532 0130 00 now", "3704", "iban"),
    ("ssn 536-22-1234 given", "536-22", "ssn"),
    ("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl, next", "c2lnbmF0dXJl", "jwt"),
    ("Authorization: Bearer zX81kqP0vTn4", "zX81kqP0vTn4", "credential"),
    ("Authorization: Basic dXNlcjpodW50ZXIy", "dXNlcjpodW50ZXIy", "credential"),
    ("using AKIAQ3EGRTZX4YPLM7HW here", "AKIAQ3EG", "api_key"),
    ("ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8", "a1B2c3", "api_key"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "MIIabc", "private_key"),
    ("postgres://app:s3cr3t@db:5432/x", "s3cr3t", "url"),
    ("GET /a?x=1&sig=dGhpc0lzQVNpZ25hdHVyZTE5 HTTP/1.1", "dGhpc0lz", "secret"),
    ("Cookie: theme=dark; sid=8f7sd6f87s6df", "8f7sd6f87s6df", "cookie"),
    ("Server=db;Uid=sa;Pwd=Winter-2024;", "Winter-2024", "secret"),
    ('{"password": "hunter2", "n": 1}', "hunter2", "secret"),
    (r"{\"password\": \"hunter2\", \"n\": 1}", "hunter2", "secret"),
    ("user.passphrase = 'correct horse'", "correct horse", "secret"),
    ("run --token s3cr3tv4lue now", "s3cr3tv4lue", "secret"),
    ("<password>hunter2</password>", "hunter2", "secret"),
    ("PATH=/bin password=</hunter2 LANG=C", "hunter2", "secret"),
    ("INSERT INTO u (id, password) VALUES (1, 'hunter2')", "hunter2", "secret"),
    ("room_code=K7QX-93PZ joined", "K7QX-93PZ", "room_code"),
    ("https://tallow.example/#r8Kd2.Zm9vYmFyYmF6cXV4MTIzNA", "Zm9vYmFy", "share_link"),
    ("open /home/annlee/notes.txt", "annlee", "path"),
    (r"open C:\Users\annlee\notes.txt", "annlee", "path"),
    (r"open C:\\Users\\annlee\\notes.txt", "annlee", "path"),
    ("the token is rosebud9x", "rosebud9x", "secret"),
    ("your session id is ab12cd34", "ab12cd34", "secret"),
    ("secret rotated from 'rosebud' to 'kitty9'", "kitty9", "secret"),
    ('Password for user ann changed from "rosebud" to "kitty9"', "kitty9", "secret"),
    ("contact bob (at) mail (dot) example (dot) org", "bob", "email"),
    ("ConnectionStrings:\n  Shop: Server=db;Database=kitty9\nLogging: 3", "kitty9", "secret"),
    ("passwords:\n- rosebud\n- kitty9\nother: 3", "kitty9", "secret"),
]

USEFUL = [
    "token is 3600 seconds old",
    "the token is base64url",
    "panic at main.go:12, look at example.com",
    "Unpacking libfoo:amd64 (10.5.2.1-2) over (10.5.2.0-1) ...",
    "mysqld 10.5.2.1-2 amd64",
    "token:\n  at foo (bar.js:1)",
    "Please enter your password:\n  then press enter",
    "Transfer started",
    "password reset requested",
    "token bucket refilled, secret santa starts",
    "POST /v1/auth/token 200 in 12ms",
    'sum(rate(tallow_auth_failures_total{status="401"}[5m])) by (token_type)',
    "trace 4bf92f3577b34da6a3ce929d0e0e4736 span 00f067aa0ba902b7",
    "id 6f1c1f0e-3f63-4d0c-9a4e-2b1e8d3b0c11 done",
    "2026-11-24T16:14:25.123Z took 3.4 s, 1073741824 bytes at 1700000000",
    "relay@2.14.3 listening on 127.0.0.1:9090",
    "Mozilla/5.0 Chrome/120.0.0.0 Safari/537.36",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "commit 2030d96a1c1c4ab8d0c7d1d2e3f4a5b6c7d8e9f0",
    "app.auth.session:Session token.py:45",
    "xs[::2] std::vector<int> a::b 12:34:56",
    "1700000000123 offset 99999999999",
    "logo@2x.png getty@tty1.service",
]


@pytest.mark.parametrize(("text", "private", "kind"), PRIVATE)
def test_private_values_are_named_by_their_kind(text: str, private: str, kind: str) -> None:
    scrubbed = Scrubber().text(text)
    assert private not in scrubbed
    assert f"[{kind}]" in scrubbed


@pytest.mark.parametrize("text", USEFUL)
def test_useful_texts_survive(text: str) -> None:
    assert Scrubber().text(text) == text


@pytest.mark.parametrize(("text", "private", "kind"), PRIVATE)
def test_scrubbing_twice_changes_nothing_more(text: str, private: str, kind: str) -> None:
    once = Scrubber().text(text)
    assert Scrubber().text(once) == once


@pytest.mark.parametrize(
    ("key", "value", "kind"),
    [
        ("X-Api-Key", "abc", "api_key"),
        ("userPassword", "abc", "secret"),
        ("DB_PASSWORD", "abc", "secret"),
        ("room_code", "ABCD", "room_code"),
        ("shareLink", "https://x.example/a", "share_link"),
        ("fileName", "diary.pdf", "file_name"),
        ("lat", 52.52, "geo"),
        ("username", "ann", "user"),
        ("note", 4111111111111111, "card"),
    ],
)
def test_keys_speak_for_their_values(key: str, value: Any, kind: str) -> None:
    assert Scrubber().value({key: value}) == {key: f"[{kind}]"}


@pytest.mark.parametrize(
    "record",
    [
        {"token_count": 512, "tokens": 99, "cache_key": "room:5", "status_code": 404},
        {"version": "1.2.3.4", "port": 8080, "user_agent": "curl/8.4.0", "user_id": 17},
        {"password": None, "has_password": True, "duration_ms": 12.5, "bytes": 1700000000},
    ],
)
def test_useful_records_survive(record: dict[str, Any]) -> None:
    assert Scrubber().value(record) == record


def test_redactions_are_counted_by_kind() -> None:
    kinds: list[str] = []

    class RecordingCounter(Metrics):
        def record_redaction(self, kind: str, count: int = 1) -> None:
            kinds.append(kind)

    Scrubber(counter=RecordingCounter(Registry())).text("ann@mail.example 203.0.113.77")
    assert kinds == ["email", "ip"]
