"""Detectors of people and their files: homes, logins, share links."""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy.checks import is_random
from tallow.monitoring.privacy.model import Needs, Rule
from tallow.monitoring.privacy.validators import has_digit_and_letter
from tallow.monitoring.privacy.words import ACCOUNTS, SHARED_HOMES, STATUS_WORDS

_NAME: Final = r"[^/\s\"'`:;,<>(){}|*?$\[\]\\&#%]{1,64}(?: [^/\s\"'`:;,<>(){}|*?$\[\]\\&=]{1,30}(?=/)){0,2}"
_FOLDERS: Final = "share|shared|join|invite|invitations?|rooms?|receive|reset-password|password-reset|reset|verify|magic|confirm|activate|unsubscribe|s|r|d|t"
_PATH_START: Final = re.compile(r"[^\s\"'`=(\[{<,;]*\Z")
_ON_DISK: Final = re.compile(
    r"(?:file://)?(?:/(?:var|usr|etc|opt|srv|tmp|lib|lib64|data|mnt|media|home|proc|sys|run|dev|root|Users|private|Library|Volumes|app|workspace|builds"
    r"|nix|snap|boot|bin|sbin|storage)/|~/|\.{1,2}/|[A-Za-z]:[/\\]|s3://|gs://)"
)
"""A path in a file system, which is no address of a share."""
_CODED: Final = rf"/(?:{_FOLDERS})/(?=[A-Za-z_~-]{{0,60}}0)(?=[0_~-]{{0,60}}[A-Za-z])[A-Za-z0_~-]{{5}}"
"""A folder of shares and a code of letters and digits in it."""


def _is_no_file(text: str, start: int, _end: int) -> bool:
    """Whether the path that leads to a place is none in a file system."""
    found = _PATH_START.search(text[max(0, start - 200) : start])
    return found is None or _ON_DISK.match(found[0]) is None


def _is_person(name: str) -> bool:
    lower = name.lower()
    return not (
        lower in SHARED_HOMES
        or lower in ACCOUNTS
        or lower in STATUS_WORDS
        or name.isdigit()
        or name[0] in "[<{%$.*?-"
    )


def _is_code(text: str) -> bool:
    return (
        is_random(text)
        or (has_digit_and_letter(text) and (text.upper() == text or len(text) > 9) and not text.islower())
        or (len(text) > 19 and has_digit_and_letter(text) and "-" not in text)
    )


RULES: Final = (
    Rule(
        "posix-home",
        "path",
        Needs(marks="//", words="home users media", template=r"/(?i:home|users|media)/[^/\s]"),
        rf"(?<![\w.])/(?i:home|Users|var/home|mnt/[a-z]/Users|[a-z]/Users|export/home|usr/home|media)/(?P<private>{_NAME})",
        _is_person,
        examples=(
            ("open /home/annlee/notes.txt", "open /home/[path]/notes.txt"),
            ("at /Users/ann lee/x.js", "at /Users/[path]/x.js"),
        ),
        counterexamples=("/Users/Shared/tallow", "/home/"),
        description="Names in paths to homes.",
    ),
    Rule(
        "windows-home",
        "path",
        Needs(marks=":", words="users documents", any_mark="\\/"),
        r"(?<=[A-Za-z]:)(?:\\{1,8}|/)(?i:Users|Documents and Settings)(?:\\{1,8}|/)"
        r"(?P<private>[^\\/\s\"'`:;,<>|*?%\[\]]{1,64}(?: [^\\/\s\"':<>|*?\[\]]{1,30}){0,2}(?=[\\/])|[^\\/\s\"'`:;,<>|*?%()\[\]]{1,64})",
        _is_person,
        examples=((r"open C:\Users\annlee\notes.txt", r"open C:\Users\[path]\notes.txt"),),
        counterexamples=(r"C:\Windows\System32\drivers", r"C:\Users\Public\x"),
        description="The same of Windows, escaped or not.",
    ),
    Rule(
        "network-home",
        "path",
        Needs(marks="\\\\\\", words="users home homes profiles"),
        r"\\\\{1,7}[\w.$-]{1,64}\\{1,8}(?i:users|home|homes|profiles)\$?\\{1,8}(?P<private>[^\\/\s\"'`:;,<>|*?\[\]]{1,64})",
        _is_person,
        examples=((r"open \\nas\users\annlee\x", r"open \\nas\users\[path]\x"),),
        counterexamples=(r"open \\nas\share\x",),
        description="The same on a file server.",
    ),
    Rule(
        "tilde-home",
        "path",
        Needs(marks="~/", template=r"~[a-z][a-z0._-]{2,}/"),
        r"(?<![\w/.)\]~])~(?P<private>[a-z][a-z0-9._-]{2,32})/",
        _is_person,
        examples=(("~annlee/.ssh/id_ed25519 is too open", "~[path]/.ssh/id_ed25519 is too open"),),
        counterexamples=("~/.ssh/id_ed25519",),
        description="`~name/`.",
    ),
    Rule(
        "login-name",
        "user",
        Needs(
            words="user role failed accepted invalid session machine fatal error | for from login does user role",
            template=r"(?:Failed|Accepted|Invalid) [\w?/-]{1,200} for |nvalid user |for user |ser:? [\"'`]|achine \S+ login |ole [\"']|(?:user|role) \"",
        ),
        r"(?:(?:Failed|Accepted|Invalid) [\w/-]{1,40} for (?:invalid user )?|[Ii]nvalid user )(?P<private>\S{1,64})(?= from )"
        r"|session (?:opened|closed) for user (?P<private2>[\w.-]{1,64})|[Uu]ser(?<!\w.ser):? [\"'`](?P<private3>[^\"'`\s]{1,64})[\"'`]"
        r"|machine \S{1,100} login (?P<private4>\S{1,64}) password|[Rr]ole [\"'](?P<private5>[^\"'\s]{1,64})[\"'] does not"
        r"|(?:FATAL|ERROR):  ?[^\n\"]{0,60}(?:user|role) \"(?P<private6>[^\"\s]{1,64})\"",
        _is_person,
        examples=(
            (
                "Failed password for invalid user annlee from 10.1.1.5 port 22",
                "Failed password for invalid user [user] from [ip] port 22",
            ),
        ),
        counterexamples=(
            "Accepted publickey for git from host port 22",
            'password authentication failed for user "postgres"',
        ),
        description="Accounts in the messages of sshd, PAM and databases.",
    ),
    Rule(
        "share-link-fragment",
        "share_link",
        Needs(
            marks="#", run=10, template=r"#[\w?-]{3,64}\.[\w?-]{16}|#[\w?-]{16}|[#&][\w?-]{1,200}=[\w?-]{16}"
        ),
        r"(?P<private2>(?<=/)(?=[\w~-]{0,128}(?:\d|[A-Z]))[\w~-]{4,128})?/?#(?P<private>[\w-]{3,64}\.[\w-]{16,200}|(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{16,200})(?![\w=])"
        r"|[#&][\w-]{1,40}=(?P<private3>(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{16,200})",
        examples=(
            ("https://tallow.example/#r8Kd2.Zm9vYmFyYmF6cXV4MTIzNA", "https://tallow.example/#[share_link]"),
        ),
        counterexamples=(
            "https://docs.tallow.example/guide#authentication",
            "https://example.org/page#section-2.1",
        ),
        description="Keys after the `#` of a share link, which no server is to see, and the code before it.",
    ),
    Rule(
        "share-path",
        "share_link",
        Needs(
            marks="//",
            words="share shared join invite invitation invitations room rooms receive reset password verify magic confirm activate unsubscribe s r d t",
            template=_CODED,
        ),
        rf"/(?:{_FOLDERS})/(?P<private>[A-Za-z0-9_~-]{{5,200}})(?![\w{{}}.])",
        _is_code,
        examples=(("GET /r/K7QX93PZ HTTP/1.1 200", "GET /r/[share_link] HTTP/1.1 200"),),
        counterexamples=(
            "GET /api/v1/rooms/8e557245-73e2-4286-969a-ff57fe326336/status 200",
            "/share/new 200",
            "/d/overview/tallow-overview",
        ),
        description="Codes in the paths of links.",
        context=_is_no_file,
    ),
    Rule(
        "hosted-share",
        "share_link",
        Needs(
            marks="/.",
            words="tl drv google discord me whatsapp zoom wetransfer mega pastebin dropbox icloud send",
        ),
        r"/(?:www\.)?(?:we\.tl/t-|1drv\.ms/\w/s!|(?:drive|docs)\.google\.com/(?:\w{1,20}/){1,3}(?:d|folders)/|discord\.gg/|t\.me/\+|t\.me/joinchat/"
        r"|chat\.whatsapp\.com/|meet\.google\.com/|zoom\.us/j/|wetransfer\.com/downloads/|mega\.nz/(?:file|folder)/|pastebin\.com/|dropbox\.com/(?:scl/f[io]|sh?|t)/"
        r"|icloud\.com/\w{1,20}/|send\.vis\.ee/download/)(?P<private>[\w~#-]{5,200})",
        examples=(("https://we.tl/t-aZ81kqP0vT", "https://we.tl/t-[share_link]"),),
        counterexamples=("https://docs.example.org/document/d/overview-of-the-relay",),
        description="Share links of well-known services.",
    ),
)
