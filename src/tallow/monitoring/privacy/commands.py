"""Passwords in the places where well-known commands take them: ``curl -u``, ``mysql -p…``, ``sqlcmd -P``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tallow.monitoring.privacy.keys import Key
from tallow.monitoring.privacy.looks import is_chosen
from tallow.monitoring.privacy.spans import Span, merged, replaced
from tallow.monitoring.privacy.values import is_private
from tallow.monitoring.privacy.words import words

# The tools, the short options whose value is a password, and how it is joined to them: with a space or an
# equals sign, `?` or with nothing, `!` with nothing only.
_OPTIONS: Final = (
    ("ldapsearch ldapmodify ldapadd ldapdelete ldapwhoami ldapcompare ldapmodrdn kadmin", "w", ""),
    ("ldappasswd", "[was]", ""),
    ("redis-cli valkey-cli redis-benchmark keydb-cli", "(?:a|-pass)", ""),
    ("sqlcmd osql bcp isql tsql ipmitool mosquitto_pub mosquitto_sub mosquitto_rr zip unzip", "P", "?"),
    ("ssh-keygen", "[NP]", ""),
    (
        "mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh evil-winrm nxc hydra",
        "p",
        "",
    ),
    ("couchbase-cli cbq rdesktop psexec psexec.exe wmic arangosh useradd usermod influx", "p", ""),
    ("sshpass", "p", "?"),
    (
        "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlsh mysqlcheck mysqlbinlog mysqlpump mariadb",
        "p",
        "!",
    ),
    ("mariadb-dump mariadb-admin 7z 7za 7zz rar unrar", "h?p", "!"),
    ("plink pscp psftp putty kitty plink.exe pscp.exe putty.exe", "pw", ""),
    ("snmpwalk snmpget snmpbulkwalk snmpset snmptrap snmpgetnext snmpbulkget snmptable", "[cAX]", ""),
    ("swaks", "ap", ""),
    ("openssl", "(?:k|K|iv)", ""),
)
_LOGINS: Final = (
    (
        "oc cf az helm docker podman nerdctl buildah skopeo oras regctl",
        r"login\s(?:\S+\s+){0,12}?-p[ =]",
        r"([^\s\"'-][^\s\"']*)",
    ),
    (
        "curl curl.exe http xh wget aria2c",
        r"(?:-u|--user|-a|--auth|--proxy-user|-U)[ =]?",
        r"([^\s\"':]{1,100}:[^\s\"']+)",
    ),
    (
        "smbclient rpcclient net smbget smbcacls winexe nmblookup",
        r"(?:-U|--user)[ =]?",
        r"([^\s\"'%]{1,100}%[^\s\"']+)",
    ),
    ("lftp ncftp ncftpput ncftpget", r"-u ?", r"([^\s\"',]{1,100},[^\s\"']+)"),
)
_POSITIONAL: Final = re.compile(
    r"\bmysqladmin\b[^\n|;]{0,200}?\spassword\s+[\"']?([^\s\"']+)"
    r"|\brabbitmqctl\s+(?:add_user|change_password|authenticate_user)\s+\S{1,64}\s+[\"']?([^\s\"']+)"
    r"|\bhtpasswd\s(?:-\w+\s){0,4}-\w*b\w*\s(?:-\w+\s){0,4}(?!-)\S{1,200}\s+(?:\S{1,64}\s+)?[\"']?([^\s\"']+)"
    r"|\bnet\s+user\s+\S{1,64}\s+([^\s/\"']\S*)|\bnet\s+use\s+\S{1,200}(?:\s+\S{1,200})?\s+([^\s/\\\"']\S*)\s+/user"
    r"|\b(?:vault|bao)\s+(?:login|operator\s+unseal|unwrap)\s+(?:-\S+\s+){0,4}([^\s=-]\S{7,})"
    r"|\bnmcli\b[^\n|;]{0,200}?\spassword\s+[\"']?([^\s\"']+)|\bwpa_passphrase\s+\S{1,64}\s+[\"']?([^\s\"']+)"
    r"|\b(?:mc|mcli)\s+(?:alias\s+set|config\s+host\s+add)\s+\S{1,64}\s+\S{1,200}\s+(\S+\s+\S+)"
    r"|\b(?:sqlplus|expdp|impdp|exp|imp|sqlldr|sqlcl|sql)\s(?:-\w+\s){0,3}[\"']?([\w$#.-]{1,64}/[^\s@/\"']+)(?=[@\s\"']|$)"
    r"|\brman\s+target\s+[\"']?([\w$#.-]{1,64}/[^\s@/\"']+)"
    r"|\bsteamcmd\b[^\n|;]{0,100}?\+login\s+(?!anonymous)(\S{1,64}\s+\S+)|\bbw\s+(?:unlock|login\s+\S{1,64})\s+([^\s-]\S*)"
    r"|\becho\s+[\"']?[\w.-]{1,64}:([^\s\"'|]+)[\"']?\s*\|\s*(?:sudo\s+)?chpasswd|\bradtest\s+\S{1,64}\s+([^\s]+)"
    r"|\bConvertTo-SecureString\s+(?:-String\s+)?[\"']([^\"'\n]{1,200})"
    r"|\brclone\s+obscure\s+[\"']?([^\s\"']+)|\baws\s+configure\s+set\s+aws_\w+\s+[\"']?([^\s\"']+)"
    r"|\becho\s+-?n?\s?[\"']?([^\s\"'|]{6,100})[\"']?\s*\|\s*(?:sudo\s+-S|docker\s+login|cryptsetup|gpg|openssl|podman\s+login"
    r"|base64|passwd|su\b)"
)
_SLASHED: Final = re.compile(
    r"(?<![^\s\"'])/(?:p|pass|password|rp|pw|smartcardpin):([^\s\"']+)", re.IGNORECASE
)
_BETWEEN: Final = re.compile(r"[\"'],\s{0,2}[\"']|[\"'] a\d{1,3}=[\"']")
"""What stands between the arguments of a command in JSON, and in the records of auditd."""
_PASS: Final = re.compile(r"\bpass:(\S+)")
_BOTH: Final = re.compile(r"(?<![\w-])-(?:u|-user)[ =][\"']?([^\s\"':/]+:[^\s\"']+)")
_SHORT: Final = re.compile(r"(?<![\w-])-p[ =]?([^\s\"'-]\S{5,})")
_REACH: Final = 400
"""Characters of a command that are read."""
_ARGUMENTS: Final = 200
_END: Final = re.compile(r"[\n|;]|&&")


_JOINED: Final = {"": r"(?:\s+|=)", "?": r"(?:\s+|=)?", "!": ""}
_SECRET: Final = Key("secret", "any")


def _readers() -> dict[str, tuple[re.Pattern[str], str]]:
    readers = {
        tool: (re.compile(rf"\s-{letters}{_JOINED[joined]}[\"']?(?![\s\"'-])([^\s\"']+)"), "secret")
        for tools, letters, joined in _OPTIONS
        for tool in tools.split()
    }
    return readers | {
        tool: (re.compile(rf"\s{option}\s*[\"']?{login}"), "credential")
        for tools, option, login in _LOGINS
        for tool in tools.split()
    }


_READERS: Final = _readers()
_TOOLS: Final = frozenset(_READERS)
_WORD: Final = re.compile(r"(?<![\w.-])[a-z7][\w.-]{1,30}(?=\s)")


def _bare_words(text: str) -> list[str]:
    return text.replace("/", " ").replace('"', " ").replace("'", " ").split()


def passwords(text: str) -> Iterator[Span]:
    """The passwords in a text's commands, behind their short options."""
    if '","' in text or '", "' in text or "', '" in text or '" a1="' in text:
        text = _BETWEEN.sub(lambda found: " " * len(found[0]), text)
    if not _TOOLS.isdisjoint(_bare_words(text)):
        for tool in _WORD.finditer(text):
            if tool[0] in _TOOLS:
                yield from _read(text, tool.end(), *_READERS[tool[0]])
    if "pass:" in text:
        for found in _PASS.finditer(text):
            yield (*found.span(1), "secret")
    if "-u" in text:
        logins = (found for found in _BOTH.finditer(text) if _is_login(found[1]))
        for found in logins:
            yield (*found.span(1), "credential")
    if "-p" in text:
        for found in _SHORT.finditer(text):
            if is_chosen(found[1]) and ":" not in found[1]:
                yield (*found.span(1), "secret")


def _read(text: str, start: int, pattern: re.Pattern[str], kind: str) -> Iterator[Span]:
    limit = _END.search(text, start, start + _REACH)
    for found in pattern.finditer(text, start, limit.start() if limit else start + _REACH):
        if is_private(_SECRET, found[1], "") and (kind == "secret" or _is_login(found[1])):
            yield (*found.span(1), kind)


def _is_login(text: str) -> bool:
    """Whether an account and its password are there, not variables, nor numbers of a user and a group."""
    account, _, password = text.partition(":")
    return password[:1] not in {"$", "<", "*"} and not (account.isdigit() and password.isdigit())


_PLACED: Final = words(
    """
    mysqladmin rabbitmqctl htpasswd net vault bao nmcli wpa_passphrase mc mcli sqlplus expdp impdp exp imp
    sqlldr sqlcl sql rman steamcmd bw echo radtest rclone aws ConvertTo-SecureString
    (ConvertTo-SecureString
    """
)


def positional(text: str) -> Iterator[Span]:
    """Passwords that are told by where they stand alone."""
    if _PLACED.isdisjoint(_bare_words(text)):
        return
    for found in _POSITIONAL.finditer(text):
        group = found.lastindex or 1
        if not found[group].startswith(("$", "<", "%", "*", "{", "[")):
            yield (*found.span(group), "secret")


def slashed(text: str) -> Iterator[Span]:
    """Passwords of Windows tools: ``/p:…``."""
    for found in _SLASHED.finditer(text):
        if is_private(_SECRET, found[1], ""):
            yield (*found.span(1), "secret")


def without_passwords(items: list[Any], named: Callable[[str, str], str]) -> list[Any]:
    """A command's arguments without the passwords that stand where its tool takes them."""
    result, start = list(items), 0
    texts = [item if type(item) is str else "" for item in items[:_ARGUMENTS]]
    spans = merged(list(passwords(" ".join(texts))))
    for place, text in enumerate(texts):
        end = start + len(text)
        inside = [(first - start, last - start, kind) for first, last, kind in spans if start <= first < end]
        if inside:
            result[place] = replaced(text, inside, named)
        start = end + 1
    return result
