"""Whether a value that stands under a private key is private itself, or a word, a count, a place-holder."""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy.keys import Key

_WORDS: Final = frozenset(
    [
        "none",
        "null",
        "nil",
        "true",
        "false",
        "undefined",
        "yes",
        "no",
        "on",
        "off",
        "empty",
        "unset",
        "not",
        "missing",
        "required",
        "invalid",
        "incorrect",
        "wrong",
        "expired",
        "expires",
        "failed",
        "failure",
        "denied",
        "rejected",
        "mismatch",
        "ok",
        "success",
        "valid",
        "too",
        "must",
        "is",
        "are",
        "was",
        "were",
        "has",
        "have",
        "should",
        "can",
        "cannot",
        "can't",
        "could",
        "may",
        "will",
        "would",
        "does",
        "doesn't",
        "the",
        "a",
        "an",
        "and",
        "or",
        "for",
        "of",
        "to",
        "in",
        "with",
        "without",
        "by",
        "at",
        "as",
        "if",
        "when",
        "redacted",
        "masked",
        "hidden",
        "filtered",
        "removed",
        "dropped",
        "omitted",
        "unknown",
        "default",
        "disabled",
        "enabled",
        "revoked",
        "refreshed",
        "rotated",
        "changed",
        "updated",
        "created",
        "deleted",
        "generated",
        "verified",
        "accepted",
        "requested",
        "request",
        "requests",
        "reset",
        "started",
        "ended",
        "opened",
        "closed",
        "stored",
        "loaded",
        "saved",
        "found",
        "sent",
        "received",
        "set",
        "provided",
        "given",
        "never",
        "always",
        "only",
        "please",
        "enter",
        "string",
        "str",
        "int",
        "bytes",
        "text",
        "bool",
        "number",
        "any",
        "object",
        "optional",
        "field",
        "char",
        "varchar",
        "header",
        "headers",
        "value",
        "values",
        "error",
        "errors",
        "exception",
        "bearer",
        "basic",
        "digest",
        "apikey",
        "negotiate",
        "n/a",
        "na",
        "tbd",
        "many",
        "few",
        "more",
        "less",
        "than",
        "between",
        "length",
        "type",
        "types",
        "required.",
        "missing.",
        "expired.",
        "invalid.",
        "authentication",
        "authorization",
        "validation",
        "bucket",
        "all",
        "this",
        "that",
        "your",
        "his",
        "her",
        "their",
        "its",
        "my",
        "our",
        "it",
        "you",
        "we",
        "they",
        "contains",
        "contain",
        "least",
        "already",
        "still",
        "now",
        "again",
        "also",
        "but",
        "using",
        "via",
        "from",
        "after",
        "before",
        "while",
        "because",
        "during",
        "until",
        "been",
        "being",
        "be",
        "had",
        "no-cache",
        "no-store",
        "private",
        "public",
        "anonymous",
        "guest",
        "mandatory",
        "optional?",
        "unauthorized",
        "forbidden",
        "limited",
        "exceeded",
        "exhausted",
        "lookup",
        "check",
        "checks",
    ]
)
_ACCOUNTS: Final = frozenset(
    [
        "root",
        "postgres",
        "nobody",
        "www-data",
        "anonymous",
        "guest",
        "daemon",
        "git",
        "nginx",
        "redis",
        "mysql",
        "system",
        "localsystem",
        "default",
        "kafka",
        "prometheus",
        "grafana",
        "alertmanager",
        "systemd",
        "ubuntu",
        "debian",
        "runner",
        "sshd",
        "admin",
        "administrator",
        "app",
        "service",
        "backup",
        "cron",
        "sync",
        "node",
        "rabbitmq",
        "mongodb",
        "elasticsearch",
        "jenkins",
        "apache",
        "http",
        "https",
        "agent",
        "user",
        "users",
        "-",
        "?",
    ]
)
_HOLDER: Final = re.compile(
    r"\[[a-z_]+(?::[0-9a-f]+)?\]?|\*+|[xX•]{3,}|\.{2,}|…"
    r"|<[^<>]{0,60}>?|\$\{[^}]*\}?|\$\w+|\{\{?[\w.\- ]*\}{0,2}"
    r"|%\(?\w*\)?[sdr]|:[a-z_]+|\?+|\[(?:REDACTED|Filtered|FILTERED|MASKED|redacted)\]?|-+|@\w*"
    r"|\(null\)|\*+\w{2,4}"
)
_NUMBER: Final = re.compile(r"[-+]?\d{1,5}(?:\.\d{1,6})?%?")
_PLAIN: Final = re.compile(
    r"[-+]?\d+(?:[.,:]\d+)*(?:\s?(?:[nmuµ]?s|min|h|d|[KMGT]?i?B|bytes|seconds|%))?"
    r"|\d{4}-\d\d-\d\dT[\d:.+\-Z]*"
    r"|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|\d+|[0-9a-fA-F]{32}")
_HEX: Final = re.compile(r"[0-9a-f]+|[0-9A-F]+")
_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-+/=.~%:|]{6,}")
_SOURCE: Final = re.compile(
    r".*\.(?:pyx?|pyi|[jt]sx?|mjs|go|rs|java|kt|rb|c|cc|cpp|h|hpp|cs|php|so|ex|exs|scala|swift|vue"
    r"|html?|css|sql|toml"
    r"|ya?ml|conf|lock)|<[\w ]+>",
    re.DOTALL,
)


def is_private(key: Key, value: str, name: str = "") -> bool:  # noqa: PLR0911 - a table of cases
    """Whether ``value`` is private, standing under ``key`` (called ``name``)."""
    text = value.strip()
    if not text or text.lower() in _WORDS or _HOLDER.fullmatch(text):
        return False
    kind, trust = key
    if trust == "plain":
        return False
    if kind == "file_name" and name.lower() in {"filename", "basename"} and _SOURCE.fullmatch(text):
        return False
    if kind == "ip":
        return any(char.isdigit() for char in text) and not _loopback(text)
    if trust == "any":
        return _any(kind, text, name)
    if trust == "token":
        return not _PLAIN.fullmatch(text) or len(text) > 30 or (len(text) > 5 and text.isdigit())
    if trust == "name":
        return not _UUID.fullmatch(text) and text.lower() not in _ACCOUNTS and not text.startswith("/")
    return is_random(text)


def _any(kind: str, text: str, name: str) -> bool:
    if name.lower() in {"pwd", "oldpwd"} and text.startswith(("/", "~")):
        return False
    if name.lower() in {"pass", "mobile", "tel", "cell", "pw", "zip", "long"} and _NUMBER.fullmatch(text):
        return (kind == "geo" and name.lower() != "long") or "." in text
    if kind in {"phone", "mac", "card", "iban", "ssn"}:
        return any(char.isdigit() for char in text)
    return kind != "email" or "@" in text or "%40" in text


def _loopback(text: str) -> bool:
    return text in {"127.0.0.1", "::1", "0.0.0.0", "::", "[::1]", "[::]"} or text.startswith("127.0.0.1:")


def is_random(text: str) -> bool:  # noqa: PLR0911 - a table of cases
    """Whether a value looks made by a machine: mixed letters and digits, and nothing an operator reads."""
    if not _TOKEN.fullmatch(text) or _PLAIN.fullmatch(text) or _UUID.fullmatch(text):
        return False
    if "/" in text[:-1] and not any(char in "+=" for char in text):
        return False
    if _HEX.fullmatch(text):
        return len(text) in {24, 48, 56, 96, 128} or (len(text) >= 64 and len(text) != 64)
    letters = sum(char.isalpha() for char in text)
    digits = sum(char.isdigit() for char in text)
    if not letters:
        return False
    upper = any(char.isupper() for char in text)
    lower = any(char.islower() for char in text)
    if "." in text or ":" in text:
        return len(text) >= 20 and digits >= 3 and upper and lower
    if not digits:
        return upper and lower and len(text) >= 20 and "_" not in text and "-" not in text
    return digits >= 2 or (upper and len(text) >= 6)
