"""Credentials one can tell by their look: provider keys, JSON web tokens, PEM keys, authorization schemes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span

_PROVIDERS: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|AGPA|AIDA|AROA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"
    r"|gl(?:pat|dt|rt|ptt|cbt|ft|soat|agent|imt|oas)-[\w\-.]{16,}|GR1348941[\w-]{16,}"
    r"|xox[abeoprs](?:-[\w]+)?-[\w-]{8,}|xapp-\d-[\w-]{8,}|xoxe\.xox[bp]-[\w-]{8,}"
    r"|(?:sk|pk|rk)_(?:live|test|prod)_\w{8,}|whsec_[\w+/=-]{16,}|(?:sq0(?:atp|csp|idp)-|EAAA)[\w-]{20,}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{16,}|GOCSPX-[\w-]{20,}|1//0[\w-]{20,}"
    r"|sk-(?:ant-|proj-|svcacct-|or-v1-|admin-|lf-)?[\w-]{16,}|pk-lf-[\w-]{16,}|gsk_\w{20,}"
    r"|xai-\w{20,}|r8_\w{20,}"
    r"|pplx-\w{20,}|hf_[A-Za-z]{20,}|hf_\w{20,}|AGE-SECRET-KEY-1[0-9A-Z]{40,}"
    r"|npm_\w{20,}|pypi-[\w-]{16,}|rubygems_[0-9a-f]{32,}|dckr_(?:pat|oat)_[\w-]{16,}|NRAK-\w{20,}"
    r"|crates_\w{20,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|key-[0-9a-f]{32}|xkeysib-[\w-]{20,}|[0-9a-f]{32}-us\d{1,2}(?!\w)"
    r"|(?:SK|AC)[0-9a-f]{32}(?!\w)|do[por]_v1_[0-9a-f]{32,}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{20,}"
    r"|hv[sbr]\.[\w-]{20,}|s\.[A-Za-z0-9]{24}(?!\w)|dapi[0-9a-f]{32}|glsa_\w{20,}|glc_[\w+/=]{20,}"
    r"|eyJrIjoi[\w+/=]{20,}"
    r"|lin_(?:api|oauth)_\w{20,}|ntn_\w{20,}|secret_[A-Za-z0-9]{40,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{40,}"
    r"|figd_[\w-]{20,}|PMAK-[0-9a-f-]{20,}|sntr[ysu]{1,2}_[\w+/=-]{20,}|phc_\w{20,}|phx_\w{20,}"
    r"|dp\.(?:pt|st|ct|sa)\.[\w.]{20,}"
    r"|ATATT3[\w=-]{20,}|ATCTT3[\w=-]{20,}|tskey-[\w-]{16,}|pul-[0-9a-f]{40}|EZ[AT]K\w{40,}|shippo_\w{20,}"
    r"|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{40,}|sbp_[0-9a-f]{40}|vercel_\w{20,}|nfp_\w{20,}"
    r"|fo1_[\w-]{20,}|FlyV1\s\w+"
    r"|rnd_\w{20,}|HRKU-[\w-]{20,}|CCIPAT_\w{20,}|bkua_\w{20,}|sgp_\w{20,}|oy2[a-z0-9]{43}"
    r"|[MNO][A-Za-z\d]{23,25}\.[\w-]{6}\.[\w-]{27,}|\d{8,10}:AA[\w-]{33}(?![\w-])|EAAC[A-Za-z0-9]{20,}"
    r"|amzn\.mws\.[0-9a-f-]{30,}|LTAI[A-Za-z0-9]{12,24}|AKID[A-Za-z0-9]{13,40}|sl\.[\w-]{60,}|aio_\w{28}"
    r")"
)  # fmt: skip
_WEBHOOK: Final = re.compile(
    r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{20,}"
    r"|(?<=/api/webhooks/)\d{10,}/[\w-]{20,}"
    r"|(?<=webhook\.office\.com/)\S{20,}"
)
_JWT: Final = re.compile(r"eyJ[A-Za-z0-9_-]{8,}={0,2}(?:\.[A-Za-z0-9_-]*={0,2}){1,4}")
_PEM: Final = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----(?:BEGIN|END) ).)*+"
    r"(?:-----END [A-Z0-9 ]{3,40}-----)?",
    re.DOTALL,
)
_HASHED: Final = re.compile(
    r"\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{20,}|[156]\$[^$\s]{1,40}\$[./A-Za-z0-9]{20,}|y\$[^\s'\"]{20,}"
    r"|argon2(?:id?|d)\$[^\s'\"]{20,}|scrypt\$[^\s'\"]{20,})|pbkdf2_sha\d+\$\d+\$[^\s'\"]{20,}"
)
_SCHEME: Final = re.compile(
    r"\b(?:(Bearer|Token|ApiKey|Api-Key|Negotiate|NTLM|OAuth|Splunk|GenieKey)|(Basic))[ \t]{1,4}"
    r"[\"']?([A-Za-z0-9_\-+/.~|:=]{6,})",
    re.IGNORECASE,
)


def pem(text: str) -> Iterator[Span]:
    """Private keys in PEM armour, up to the end of the text where the armour is not closed."""
    for found in _PEM.finditer(text):
        yield Span(*found.span(), "private_key")


def provider_keys(text: str) -> Iterator[Span]:
    """Keys whose prefix says who issued them, and webhook addresses, which are keys too."""
    for found in _PROVIDERS.finditer(text):
        kind = "private_key" if found[0].startswith("AGE-") else "api_key"
        yield Span(*found.span(), kind)
    if "hook" in text:
        for found in _WEBHOOK.finditer(text):
            yield Span(*found.span(), "api_key")


def web_tokens(text: str) -> Iterator[Span]:
    """JSON web tokens, signed, encrypted or neither (RFC 7519, RFC 7516)."""
    for found in _JWT.finditer(text):
        yield Span(*found.span(), "jwt")


def password_hashes(text: str) -> Iterator[Span]:
    """Password hashes in the formats of crypt(3), argon2 and Django."""
    for found in _HASHED.finditer(text):
        yield Span(*found.span(), "secret")


def schemes(text: str) -> Iterator[Span]:
    """Credentials after the name of their scheme (RFC 9110, 11.4), wherever they stand."""
    for found in _SCHEME.finditer(text):
        value = found[3].rstrip(".:")
        if _is_basic(value) if found[2] else _is_bearer(value):
            yield Span(found.start(3), found.start(3) + len(value), "credential")


def _is_bearer(value: str) -> bool:
    if not any(char.isdigit() for char in value):
        return len(value) >= 20 and value.lower() != value
    return len(value) >= 16 or (len(value) >= 8 and "/" not in value)


def _is_basic(value: str) -> bool:
    try:
        return b":" in base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
