"""A held-out corpus: every kind of value in every kind of context, shuffled by a seed.

The rules were written against the corpus in :mod:`support.privacy.corpus`, not against this set. It measures
how they generalise.
"""

from __future__ import annotations

import html
import json
import random
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import quote

from support.privacy.corpus import Sample
from support.privacy.samples import Samples

Carrier = Callable[[str, str], Any]

# Kind of value: (how to generate it, keys). BY_LOOK is detected by form, BY_KEY by the key.
BY_LOOK: Final = {
    "email": ("email", ("contact", "who", "to", "actor", "recipient")),
    "ip": ("ip4", ("src", "peer", "from", "upstream")),
    "ip6": ("ip6", ("src", "peer", "from")),
    "mac": ("mac", ("nic", "device", "station")),
    "card": ("card", ("number", "value", "pan", "instrument")),
    "iban": ("iban", ("creditor", "debtor", "value")),
    "jwt": ("jwt", ("value", "assertion", "credential")),
    "github": ("ghp_«an,36»", ("value", "env", "given")),
    "aws": ("AKIA«up,16»", ("value", "id", "given")),
    "openai": ("sk-proj-«an,48»", ("value", "given")),
    "stripe": ("sk_live_«an,24»", ("value", "given")),
    "slack": ("xoxb-«dig,12»-«dig,12»-«an,24»", ("value", "given")),
    "gitlab": ("glpat-«an,20»", ("value", "given")),
    "google": ("AIza«an,35»", ("value", "given")),
    "url": ("amqps://«login»:«an,14»@mq.example.net:5671/x", ("broker", "dsn", "target")),
    "path": ("/home/«login»/inbox/x.bin", ("path", "cwd", "source")),
    "windows": ("C:\\Users\\«login»\\inbox\\x.bin", ("path", "cwd")),
    "phone": ("+49 171 «dig,7»", ("to", "caller", "value")),
    "link": ("https://tallow.example/#«an,8».«an,43»", ("url", "target", "page")),
}
BY_KEY: Final = {
    "password": ("pw", ("password", "db_password", "userPassword", "PGPASSWORD", "smtp-pass", "newPassword")),
    "secret": (
        "an,20",
        ("client_secret", "secretKey", "SECRET", "webhook_secret", "apiSecret", "signing_key"),
    ),
    "token": (
        "an,32",
        ("access_token", "refreshToken", "X-Auth-Token", "api_token", "id_token", "csrf_token"),
    ),
    "apikey": ("an,24", ("api_key", "x-api-key", "apiKey", "APIKEY", "subscription_key")),
    "session": ("an,26", ("sessionid", "session_id", "PHPSESSID", "connect.sid", "sid")),
    "room": ("code", ("room_code", "roomCode", "share_code", "join-code", "pairingCode")),
    "passphrase": ("an,18", ("passphrase", "master_key", "encryptionKey", "private_key", "recovery_code")),
    "user": ("login", ("username", "user_name", "login", "userName")),
    "file": ("file1", ("file_name", "fileName", "original_filename", "attachment_name")),
}
HARMLESS: Final = {
    "uuid": ("uuid", ("request_id", "transfer_id", "id", "correlationId")),
    "trace": ("hex,32", ("trace_id", "traceId", "x-b3-traceid", "checksum")),
    "time": ("unixms", ("ts", "timestamp", "startedAt", "deadline_ms")),
    "bytes": ("dig,10", ("bytes", "file_size", "rss", "contentLength")),
    "version": ("«dig,1».«dig,2».«dig,1»", ("version", "release", "build", "sdk")),
    "hash": ("hex,64", ("sha256", "digest", "etag", "commit")),
    "count": ("dig,3", ("token_count", "session_count", "password_attempts", "keys", "retries")),
    "word": ("word", ("auth_method", "token_type", "author", "session_state", "cookie_policy", "keyboard")),
    "local": ("127.0.0.1:«dig,4»", ("listen", "bind", "upstream")),
    "module": ("tallow.auth.session", ("logger", "module", "handler")),
    "route": ("/v2/auth/token/refresh", ("route", "path", "endpoint")),
    "float": ("12.«dig,3»", ("duration_ms", "ratio", "latency", "p99")),
}
TEXTS: Final[tuple[Carrier, ...]] = (
    lambda key, value: f"{key}={value}",
    lambda key, value: f"{key}: {value}",
    lambda key, value: f'level=warn {key}="{value}" attempt=2',
    lambda key, value: f"worker 3 said {key}={value}, then stopped",
    lambda key, value: json.dumps({"ok": True, key: value, "n": 3}),
    lambda key, value: json.dumps({key: value}, separators=(",", ":")),
    lambda key, value: json.dumps(json.dumps({key: value})),
    lambda key, value: repr({"n": 1, key: value}),
    lambda key, value: f"Request({key}={value!r}, retries=3)",
    lambda key, value: f"ValueError: bad input ({key}={value!r})",
    lambda key, value: f"GET /v1/items?page=2&{key}={quote(value, safe='')}&sort=asc HTTP/1.1",
    lambda key, value: (
        f"Traceback (most recent call last):\n  File \"app/x.py\", line 3, in f\nKeyError: {key}='{value}'"
    ),
    lambda key, value: f"-{key.title()}-\n{key}: {value}\naccept: */*\n",
    lambda key, value: f"<{key}>{html.escape(value)}</{key}>",
    lambda key, value: f"config.{key} = '{value}'  # set by operator",
    lambda key, value: f"export {key}='{value}'; ./run",
    lambda key, value: f"\u00a0{key}\u00a0=\u00a0{value}\u00a0",
    lambda key, value: f"({key}: {value})",
    lambda key, value: f"[{key}={value}]",
    lambda key, value: f"✗ {key} → {key}={value} ✓",
)
BARE: Final[tuple[Carrier, ...]] = (
    lambda _key, value: f"gave up on {value} after 3 tries",
    lambda _key, value: f"'{value}' was refused",
    lambda _key, value: f"<{value}>",
    lambda _key, value: f"seen: {value}; next",
    lambda _key, value: f"{value}",
    lambda _key, value: f"a|{value}|b",
    lambda _key, value: f"first\n{value}\nlast",
    lambda _key, value: f"({value}),",
    lambda _key, value: f'"{value}".',
)
RECORDS: Final[tuple[Carrier, ...]] = (
    lambda key, value: {"message": "done", key: value, "n": 3},
    lambda key, value: {"context": {"inner": {key: value}}},
    lambda key, value: {"items": [{key: value}, {key: value}]},
    lambda key, value: {"headers": [(key, value), ("accept", "*/*")]},
    lambda key, value: {"message": f"{key}={value}", "status": 200},
    lambda key, value: [{key: [value]}],
    lambda key, value: {key: value.encode(), "n": 1},
)


def heldout_samples(seed: int) -> Iterator[Sample]:
    """Generate the corpus from ``seed``. Harmless samples have no ``private`` parts."""
    source, shuffle = Samples(seed), random.Random(seed)
    made: list[Sample] = []
    for kind, (name, keys) in (*BY_LOOK.items(), *BY_KEY.items()):
        carriers = (*TEXTS, *RECORDS, *(BARE if kind in BY_LOOK else ()))
        made += (_private(kind, name, keys, carrier, source, shuffle) for carrier in carriers)
    for kind, (name, keys) in HARMLESS.items():
        for carrier in (*TEXTS, *RECORDS[:-1], *BARE):  # bytes are reduced to their length
            value = carrier(shuffle.choice(keys), source.fill(name))
            made.append(Sample(kind, repr(value), value, (), ()))
    shuffle.shuffle(made)
    yield from made


def _private(
    kind: str, name: str, keys: tuple[str, ...], carrier: Carrier, source: Samples, shuffle: random.Random
) -> Sample:
    secret = source.fill(name)
    value = carrier(shuffle.choice(keys), secret)
    core = {
        "url": secret.split("//")[-1].split("@")[0],
        "path": secret.split("/")[2] if secret[0] == "/" else "",
    }
    hidden = core.get(kind) or {
        "windows": secret.split("\\")[2] if "\\" in secret else "",
        "link": secret[-30:],
    }.get(kind)
    return Sample(kind, repr(value), value, (hidden or secret,), ())
