"""Invented secrets of every kind, easy to search for, and the texts and records that contain them."""

from __future__ import annotations

from typing import Any, Final

TOKEN: Final = "Canary7f3aQx9LmT2vWc8RbY4nKd6HsJ0pZe5u"
"""Inserted into the keys below at run time, so that secret scanners do not report this file."""
KEY_LINE: Final = "MIICdQIBADANBgkqhkiG9w0BAQEFAASCAl8wgCanary7f3aQx9LmT2vWc8RbY4nK"

BY_FORM: Final = {
    "email": "canary.carol@mail.example.org",
    "ip": "203.0.113.177",
    "ipv6": "2001:db8:7f3a::c0de:1",
    "mac": "02:7f:3a:c0:de:99",
    "phone": "+49 171 5550739",
    "card": "4539 5787 6362 1486",
    "iban": "DE89 3704 0044 0532 0130 00",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnk3ZjNhIn0.c2lnbmF0dXJlLWNhbmFyeTdmM2E",
    "github": f"ghp_{TOKEN[:36]}",
    "aws": "AKIA7CANARY3FQX9LMT2",
    "stripe": f"sk_live_{TOKEN[:24]}",
}
"""Values that the scrubber detects by their form, in any context."""

BY_KEY: Final = {
    "password": "violet-canary-heron",
    "session_token": "tok-violet-canary-9981",
    "room_code": "7-violet-canary",
    "file_name": "canary tax return 2025.pdf",
    "user_name": "Carol Canarywright",
    "api_key": "violet4canary8key2",
    "cookie": "sid=violet-canary-cookie",
    "latitude": "48.1371547",
    "share_link": "https://tallow.example.org/#violetroom.canarysecret7f3a",
}
"""Values that the scrubber detects by their key."""

ANY_LOOK: Final = {
    "password": "my_darkest_canary",
    "api_key": "CANARY_SUMMER_TIME",
    "db_password": "$canary2024",
    "passwd": "@canary-dmin24",
    "client_secret": "Canary(7f3a)",
    "secret": ":open_canary",
    "access_token": "***canarycat",
    "refresh_token": "canaryrosebud",
    "private_key": "list[canary1",
    "user_password": "/etc/canary9",
    "smtp_pass": "[canarykitty",
    "token": "<3canarydog",
    "signing_key": "canary.12.04.1984",
    "security_code": "47110815",
    "session_id": "0d9c1e57-7b1f-4b6e-9a53-ca7a4c5f7e11",
    "passphrase": "correct canary battery",
    "otp": "canary90s",
    "csrf_token": "user:canary:cart",
    "passport_no": "canary-C01X00T47",
    "connection_string": "canary=equals;and?marks",
}
"""Values detected by the key alone, although they look like placeholders, paths or identifiers."""

PARTS: Final = {
    "password of a URL": ("https://carol:canary-url-pass@files.example.org/a", "canary-url-pass"),
    "parameter": ("https://files.example.org/a?access_token=canary-query-4711", "canary-query-4711"),
    "bearer": ("Authorization: Bearer canary-bearer-7f3a.88", "canary-bearer-7f3a.88"),
    "cookie": ("Cookie: sessionid=canary-cookie-7f3a", "canary-cookie-7f3a"),
    "assignment": ("connecting with password=canary-assigned-77", "canary-assigned-77"),
    "home": ("cannot read /home/canaryfred/taxes", "canaryfred"),
    "link": (f"share {BY_KEY['share_link']}", "canarysecret7f3a"),
    "private key": (
        f"-----BEGIN PRIVATE KEY-----\n{KEY_LINE}\n-----END PRIVATE KEY-----",
        KEY_LINE,
    ),
}
"""Texts, each with the part that is secret."""

ENVIRONMENT: Final = {"SHOP_DATABASE_PASSWORD": "canary-env-pass-5512"}

SECRETS: Final = (
    *BY_FORM.values(),
    *BY_KEY.values(),
    *ANY_LOOK.values(),
    *(secret for _, secret in PARTS.values()),
    *ENVIRONMENT.values(),
)

TEXTS: Final = (
    *(f"it is {value} again" for value in BY_FORM.values()),
    *(text for text, _ in PARTS.values()),
    "retry with " + " ".join(f"{name}={value!r}" for name, value in ANY_LOOK.items()),
    "retry with " + " ".join(f"{name}={value}" for name, value in ANY_LOOK.items() if " " not in value),
)
"""Texts that an application may log by mistake."""


def nested() -> dict[str, Any]:
    """A nested record that contains all of them."""
    return {"order": {"lines": [dict(BY_KEY), dict(ANY_LOOK), {"notes": list(TEXTS)}], "form": dict(BY_FORM)}}
