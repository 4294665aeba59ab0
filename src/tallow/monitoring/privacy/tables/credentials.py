"""Detectors of credentials that are known by their form or by the words around them."""

from __future__ import annotations

from typing import Final

from tallow.monitoring.privacy.checks import is_random
from tallow.monitoring.privacy.model import Needs, Rule
from tallow.monitoring.privacy.validators import has_digit_and_letter, is_basic, is_not_algorithm

_CHANGED: Final = r"(?:changed|updated|reset|rotated|replaced|switched)"
_LINKS: Final = rf"is now|is|was|to|of|set to|{_CHANGED} (?:from|to|with)|will be|used|provided|value"
_GLUE: Final = rf"(?: (?i:for [\w.@'-]{{1,64}}|{_LINKS}|{_CHANGED} from \S{{1,64}} to))*"
"""Words between the name of a secret and the secret."""
_GLUE_NEEDED: Final = rf"(?: (?i:for \S+|{_LINKS}|{_CHANGED} from \S+ to))*"
"""The same for the prefilter."""
_MARKS: Final = r"(?::?[ \t]{1,4}\(?|\()"


def _is_mixed(text: str) -> bool:
    return any(map(str.isdigit, text)) and text.lower() != text != text.upper()


RULES: Final = (
    Rule(
        "private-key-block",
        "private_key",
        Needs(marks="-----", words="key"),
        r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----)){0,60000}(?:-----END [A-Z0-9 ]{3,40}-----)?",
        examples=(
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "[private_key]"),
        ),
        counterexamples=("-----BEGIN CERTIFICATE-----\nMIIabc\n-----END CERTIFICATE-----",),
        description="Private keys in PEM and PGP armour, also cut off.",
    ),
    Rule(
        "putty-key",
        "private_key",
        Needs(words="putty"),
        r"PuTTY-User-Key-File-\d:[\s\S]{0,60000}",
        examples=(("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\nAAAA", "[private_key]"),),
        counterexamples=("PuTTY-User-Key-File is missing",),
        description="PuTTY's key files, to their end.",
    ),
    Rule(
        "json-web-token",
        "jwt",
        Needs(run=16, parts=("eyj",), capital=True, template=r"eyJ[A-Za-z0_-]{8}"),
        r"(?<![A-Za-z0-9])(?:(?P<private>eyJ[A-Za-z0-9_-]{8,8000}={0,2}(?:\.[A-Za-z0-9_-]{0,8000}={0,2}){1,4})|eyJ[\w-]+)",
        examples=(("t eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl, next", "t [jwt], next"),),
        counterexamples=("the prefix eyJ alone",),
        description="JSON web tokens, signed, encrypted or neither (RFC 7519, RFC 7516).",
    ),
    Rule(
        "password-hash",
        "secret",
        Needs(any_mark="${"),
        r"\$(?:2[abxy]?\$\d\d\$[./A-Za-z0-9]{20,100}|(?:[156]|apr1)\$(?:rounds=\d{1,9}\$)?[^$\s]{1,40}\$[./A-Za-z0-9]{20,200}|y\$[^\s'\"]{20,300}"
        r"|argon2(?:id?|d)\$[^\s'\"]{20,300}|scrypt\$[^\s'\"]{20,300})|pbkdf2_sha\d+\$\d+\$[^\s'\"]{20,300}"
        r"|\{(?:SSHA|SHA|SMD5|MD5|CRYPT|PBKDF2|SSHA\d{3})\}[\w+/=$.]{16,300}",
        examples=(
            ("hash $2b$12$abcdefghijklmnopqrstuv0123456789ABCDEFGHIJKLMNOPQRSTU no", "hash [secret] no"),
        ),
        counterexamples=("costs $2 or $12", "{SHA} is weak"),
        description="Hashes of passwords: crypt(3), LDAP, argon2, scrypt, Django.",
    ),
    Rule(
        "authorization-scheme",
        "credential",
        Needs(
            words="bearer token key negotiate ntlm oauth splunk apikey genie",
            digits=1,
            template=r"(?i:bearer|negotiate|ntlm|oauth|splunk|authorization token)[ \t,]{1,4}[\"']?[A-Za-z_\-+/.~|:=]{0,40}0",
        ),
        r"(?<![\w-])(?i:bearer|negotiate|ntlm|oauth|splunk|authorization token)[ \t,]{1,4}[\"']?"
        r"(?![\w.-]{1,60}=[^=])(?P<private>(?=[A-Za-z_\-+/.~|:=]{0,200}\d)[A-Za-z0-9_\-+/.~|:=]{8,8000})",
        lambda text: "/" not in text[:16] or len(text) > 31,
        examples=(("got Bearer zX81kqP0vTn4 from client", "got Bearer [credential] from client"),),
        counterexamples=("Bearer authentication is required", "Bearer token missing"),
        description="What follows the name of a scheme, wherever it stands.",
    ),
    Rule(
        "basic-credentials",
        "credential",
        Needs(words="basic", template=r"(?i:basic)[ \t]{1,4}[\"']?[A-Za-z0+/]{6}"),
        r"(?<![\w-])(?i:basic)[ \t]{1,4}[\"']?(?P<private>[A-Za-z0-9+/]{6,2000}={0,2})",
        is_basic,
        examples=(("sent Basic dXNlcjpodW50ZXIy to it", "sent Basic [credential] to it"),),
        counterexamples=("using basic authentication",),
        description="Base64 of a name, a colon and a password.",
    ),
    Rule(
        "password-in-sentence",
        "secret",
        Needs(
            words="password passphrase passwd passcode pin otp pw cvv cvc csc",
            digits=1,
            template=rf"(?i:pass(?:word|phrase|wd|code)|pin|otp|pw|cvv|cvc|csc)s?(?: code)?{_GLUE_NEEDED}[: \t(]+[!#-&*-/;?-Z^-z|~]*0",
        ),
        rf"[PpOoCc](?<![\w-].)(?i:(?<=p)ass(?:word|phrase|wd|code)|(?<=p)in(?: code)?|(?<=o)tp|(?<=p)w|(?<=c)vv|(?<=c)vc|(?<=c)sc)s?{_GLUE}{_MARKS}"
        r"(?P<private>(?=[^\s\"',;()]{0,60}\d)[^\s\"',;():=\[\]<>{}/]{3,200}?)(?=[\s,;)\"']|[.!?](?:\s|$)|$)"
        r"(?: to (?P<private2>(?=[^\s\"',;()]{0,60}\d)[^\s\"',;():=\[\]<>{}/]{3,200}?)(?=[\s,;)\"']|[.!?](?:\s|$)|$))?",
        lambda text: (
            (has_digit_and_letter(text) and len(text) > 5)
            or (text.isdigit() and 3 <= len(text) <= 12)
            or len(text) > 7
        ),
        examples=(
            ("its password is maple39walnut now", "its password is [secret] now"),
            ("password changed from kitty9 to kitty10", "password changed from [secret] to [secret]"),
            ("type passcode 839201 when asked", "type passcode [secret] when asked"),
        ),
        counterexamples=(
            "password policy: minimum 12 characters",
            "password reset 3 requested",
            "pin is locked",
        ),
        description="A word with a digit in it behind a word for a password.",
    ),
    Rule(
        "code-in-sentence",
        "secret",
        Needs(
            words="code passcode codes",
            digits=1,
            template=rf"(?i:code)s?(?: #?0{{1,3}})?{_GLUE_NEEDED}[: \t(]+[A-Za-z-]{{0,12}}0",
        ),
        r"(?<![\w-])(?i:your|verification|access|security|login|confirmation|sms|mfa|2fa|otp|auth|activation|reset|backup|recovery|authentication|one-time"
        rf"|temporary|two-factor)[ -](?i:code)s?(?: #?\d{{1,3}})?{_GLUE}{_MARKS}(?P<private>(?=[A-Za-z-]{{0,12}}\d)[A-Za-z0-9-]{{4,12}})(?![\w-])",
        examples=(
            ("Your verification code is 482913", "Your verification code is [secret]"),
            ("Backup code #2: 4829-1374", "Backup code #2: [secret]"),
        ),
        counterexamples=("verification code sent", "error code 4711"),
        description="A code behind words that say it proves something.",
    ),
    Rule(
        "room-code-in-sentence",
        "room_code",
        Needs(
            words="code room",
            template=rf"(?i:code){_GLUE_NEEDED}[: \t(]+(?:[A-Za-z-]{{0,12}}0|[A-Z]{{3,5}}-[A-Z]{{3}})|(?i:room) [A-Z0-]{{4}}",
        ),
        r"(?<![\w-])(?i:room|share|pairing|invite|invitation|join|join with|transfer)[ -](?i:code)"
        rf"{_GLUE}{_MARKS}(?P<private>(?=[A-Za-z-]{{0,12}}\d)[A-Za-z0-9-]{{4,40}}|[A-Z]{{3,5}}-[A-Z]{{3,5}})(?![\w-])"
        r"|(?<![\w-])(?i:room) (?P<private2>(?=[A-Z]*\d)[A-Z0-9]{6,12}|(?=[A-Z-]*\d)[A-Z0-9]{4}(?:-[A-Z0-9]{4}){1,3})(?![\w-])",
        examples=(
            ("room code K7QX-93PZ is taken", "room code [room_code] is taken"),
            ("joined room K7QX-93PZ as receiver", "joined room [room_code] as receiver"),
        ),
        counterexamples=("room code expired", "room 12 is cold"),
        description="The code of a room or a share.",
    ),
    Rule(
        "token-in-sentence",
        "secret",
        Needs(
            words="token secret cookie session sessionid key jsessionid phpsessid credential",
            digits=1,
            template=rf"(?i:oken|secret|session(?: id| cookie| token)?|ookie|essionid|phpsessid|[ -]key)(?: #?0{{1,3}})?{_GLUE_NEEDED}[: \t(]+[A-Za-z0_\-+/=.~]{{16}}",
        ),
        r"[TtSsCcJjPpAaMmEeUuRr](?<![\w-].)(?<!nexpected .)(?<!ublic .)(?<!artition .)(?<!ache .)(?<!dempotency .)(?<!lock .)(?<!sort .)(?<!rimary .)"
        r"(?i:(?<=t)oken|(?<=s)ecret|(?<=s)ession(?: id| cookie| token)?|(?<=c)ookie|(?<=j)sessionid|(?<=p)hpsessid|(?:(?<=a)pi|(?<=a)ccess|(?<=p)rivate|(?<=s)ecret"
        rf"|(?<=m)aster|(?<=e)ncryption|(?<=s)igning|(?<=u)nseal|(?<=r)ecovery)[ -]key)(?: #?\d{{1,3}})?{_GLUE}{_MARKS}"
        r"(?P<private>[A-Za-z0-9_\-+/=.~]{16,4000})(?![\w-])",
        lambda text: (
            is_random(text) or (len(text) > 31 and all(char in "0123456789abcdefABCDEF" for char in text))
        ),
        examples=(
            ("session token 9fKq27LmTzXw81PdRb40 revoked", "session token [secret] revoked"),
            ("api key 0123456789abcdef0123456789abcdef revoked", "api key [secret] revoked"),
        ),
        counterexamples=(
            "unexpected token ILLEGAL42 in expression",
            "token bucket-42 refilled",
            "idempotency key 8e557245-73e2-4286-969a-ff57fe326336 reused",
            "ssh key SHA256:zJwGSraasUurvmjObvG0B5x3FbGUBxnVpVU accepted",
        ),
        description="A long random value behind a word for a token, a session or a secret key.",
    ),
    Rule(
        "secret-in-sentence",
        "secret",
        Needs(
            words="token secret key credential cookie session",
            digits=1,
            template=r"(?i:token|secret|[ -]key|credential|cookie|session(?: id)?)s?(?: (?i:for \S+))? (?i:is now|is|was(?: now| changed to| set to| reset to)?|will be|(?:changed|set|reset|rotated) to|changed from)[ \t:(]+[!#-&*-/;?-Z^-z|~]*0",
        ),
        r"(?<![\w-])(?i:(?<!nexpected )(?<!next )(?<!first )(?<!last )(?<!previous )(?<!current )token|secret|(?:api|access|private|secret|master|encryption|signing|session)[ -]key"
        r"|credential|cookie|session(?: id)?)s?(?: (?i:for [\w.@'-]{1,64}))? (?i:is now|is|was(?: now| changed to| set to| reset to)?|will be|(?:changed|set|reset|rotated) to|changed from)"
        r"(?::?[ \t]{1,4}\(?)(?P<private>(?=[^\s\"',;()]{0,60}\d)[^\s\"',;():=\[\]<>{}/]{6,200}?)(?=[\s,;)\"']|[.!?](?:\s|$)|$)"
        r"(?: to (?P<private2>(?=[^\s\"',;()]{0,60}\d)[^\s\"',;():=\[\]<>{}/]{6,200}?)(?=[\s,;)\"']|[.!?](?:\s|$)|$))?",
        is_not_algorithm,
        examples=(
            ("the token is rosebud9x", "the token is [secret]"),
            ("api key for shop was changed to kitty2024", "api key for shop was changed to [secret]"),
        ),
        counterexamples=(
            "the token is base64url",
            "token is 3600 seconds old",
            "next token is user_4711",
            "secret is 32 bytes long",
            "session is 12.5s old",
        ),
        description="A word of letters and digits that a sentence says is the token, the key or the secret.",
    ),
    Rule(
        "short-option-secret",
        "secret",
        Needs(parts=("-p",), digits=1, template=r"-p[ =]?[!-~]{6}"),
        r"(?<![\w-])-p[ =]?(?P<private>(?=[^\s\"':]{0,60}\d)(?=[^\s\"':]{0,60}[A-Za-z])[^\s\"':/-][^\s\"':/]{5,100})(?=[\s\"']|$)",
        lambda text: "." not in text,
        examples=(("run -p maple39walnut -u root", "run -p [secret] -u root"),),
        counterexamples=("docker run -p 8080:80 nginx", "mkdir -p /srv/data1"),
        description="The option `-p` of any command before letters and digits.",
    ),
    Rule(
        "short-option-login",
        "credential",
        Needs(parts=("-u",), marks="-:", template=r"-(?:u|-user)[ =][\"']?[^\s:]+:"),
        r"(?<![\w-])-(?:u|-user)[ =][\"']?(?!\d+:\d+)(?P<private>[^\s\"':/$<{]{1,100}:[^\s\"'$<*{:/][^\s\"']{0,200})",
        examples=(("fetch -u svc:rosebud https://api.example", "fetch -u [credential] https://api.example"),),
        counterexamples=("docker run -u 1000:1000 nginx", "curl -u $USER:$PASS https://api.example"),
        description="The option `-u` of any command before a name and a password.",
    ),
    Rule(
        "query-capability",
        "secret",
        Needs(
            marks="=",
            any_mark="?&",
            template=r"[?&](?:code|key|appid|ticket|hash|state|auth|Key-Pair-Id|X-Amz-Credential|sig|s|k|t)=[^&\s\"'<>#]{8}",
        ),
        r"[?&](?:code|key|appid|ticket|hash|state|auth|Key-Pair-Id|X-Amz-Credential|sig|s|k|t)=(?P<private>[^&\s\"'<>#]{8,4000})",
        has_digit_and_letter,
        examples=(("/dl?hash=0123456789abcdef&x=1", "/dl?hash=[secret]&x=1"),),
        counterexamples=("/oauth/authorize?response_type=code&client_id=web",),
        description="Parameters of a query that are harmless elsewhere: `code`, `key`, `ticket`, `hash`.",
    ),
    Rule(
        "webhook-address",
        "api_key",
        Needs(
            words="hooks webhooks webhook",
            template=r"hooks\.slack\.com/|/api/webhooks/0|webhook\.office\.com/",
        ),
        r"(?<=hooks\.slack\.com/)(?:services|workflows|triggers)/[\w/-]{20,300}|(?<=/api/webhooks/)\d{10,30}/[\w-]{20,200}|(?<=webhook\.office\.com/)\S{20,400}",
        examples=(
            (
                "post to https://hooks.slack.com/services/T024BE7LD/B00F4K/aZ81kqP0vTn4",
                "post to https://hooks.slack.com/[api_key]",
            ),
        ),
        counterexamples=("https://hooks.slack.com/services",),
        description="Addresses that anybody who knows them can post to.",
    ),
)
