"""Detectors of network addresses and e-mail addresses."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from tallow.monitoring.privacy.model import Needs, Rule
from tallow.monitoring.privacy.validators import holds_mac, is_ipv4, is_ipv6, is_mac, is_spelled_address
from tallow.monitoring.privacy.words import words

_SPELLED_AT: Final = r"(?: at | ?[\[({<] ?at ?[\])}>] ?)"
_SPELLED_DOT: Final = r"(?: dot | ?[\[({<] ?dot ?[\])}>] ?)"
_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_REST: Final = rf"\d{{0,2}}(?:\.{_OCTET}){{3}}"
"""An address of version 4 behind its first digit."""
_V6: Final = (
    r"(?P<private>[0-9A-Fa-f:](?<![\w:.].)(?:[0-9A-Fa-f]{0,4}:){1,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?:%[\w.-]{1,16})?)"
    r"(?!\w|:(?!\d{5}(?!\w)|[\s]|$)|\.\d(?!\d{0,4}(?::? |:?$| >)))"
)
_VERSIONED: Final = words(
    """
    version versions ver release build upgraded upgrade downgraded updated update requires python java openssl chrome
    kernel glibc libssl package mozilla
    """
)
"""Words that make four numbers behind them a version."""
_HOSTS: Final = words(
    "tcp udp inet inet6 ip host from addr client peer http https icmp sctp dns server remote via by user"
)
_PRODUCT: Final = re.compile(r"(?:^|[\s(\"';])([A-Za-z][\w.-]{0,40})/$")
_REVISION: Final = re.compile(r"-\d{1,2}(?![\d.])")
_PACKAGED: Final = re.compile(
    r"[+~](?:dfsg|ds|deb|really|git|repack|b?p)|(?:[+~][\w.+~]{1,30})?-\d{1,3}(?:\.\d{1,3})?(?:"
    r"[+~.]?(?:ubuntu|deb|bpo|build|el|fc|amzn|suse|lp|mga|rhel|ph|azl|cm|r|nmu|b)\d"
    r"|[ _.:](?:amd64|arm64|armhf|armel|i[3-6]86|all|noarch|x86_64|aarch64|ppc64|ppc64el|ppc64le|s390x|riscv64)\b)"
)
"""What follows the version of a Debian or RPM package: its revision and the distribution or the processor."""
_INSTALLED: Final = re.compile(
    r"(?:^|[\s=(_])\d{1,2}:$|:(?:amd64|arm64|armhf|armel|i386|all|any|ppc64el|s390x|riscv64)[\s=]"
    r"|(?:Unpacking|Setting up|Selecting|Removing|Purging|Preparing to unpack|Upgrading|Installing) "
)
"""What stands before such a version: its epoch, the processor, or what dpkg and apt do."""
_NETWORK: Final = re.compile(r"/\d{1,2}(?!\d)")


def _is_address(text: str, start: int, end: int) -> bool:
    """Whether four numbers are an address where they stand, not a version or a private network."""
    before = text[max(0, start - 48) : start]
    if text[start + 1] == "." and _REVISION.match(text, end):
        return False  # 3.0.17.1-1 is a version of Debian's
    if _is_package(text, end, before):
        return False
    if before and _is_versioned(before, text[start:end]):
        return False
    network = _NETWORK.match(text, end) if text[end - 2 : end] == ".0" else None
    return network is None or not ipaddress.ip_network(text[start:end] + network[0], strict=False).is_private


def _is_package(text: str, end: int, before: str) -> bool:
    """Whether four numbers are the version of a package of Debian or RPM, which has a revision."""
    if _PACKAGED.match(text, end):
        return True
    return text[end : end + 1] == "-" and _INSTALLED.search(before) is not None


def _is_versioned(before: str, number: str) -> bool:
    last = before[-1]
    if last in "^~vV" or before.endswith(("==", ">=", "<=", "~=", "!=")):
        return True
    if last == "@":
        return len(number) == 7  # one digit each: a version of a package, not the host of a login
    if last == "/":
        product = _PRODUCT.search(before)
        return product is not None and product[1].lower() not in _HOSTS
    near = before.rstrip(" =:\"'(v").lower()
    word = near[near.rfind(" ") + 1 :].rpartition("_")[2]
    if word in {"from", "to", "and", "or", "-", "->"}:
        return any(known in near for known in ("version", "grade", "update"))
    return word in _VERSIONED


RULES: Final = (
    Rule(
        "email-address",
        "email",
        Needs(marks="@.", template=r"@(?:[A-Za-z0_\x80-\xff?-]+\.)+[A-Za-z\x80-\xff?]|@\["),
        r"(?:\b(?:git|hg)@[\w.-]{1,100}(?=[:/])"
        r"|(?<![\w-])[\w-]{1,60}@(?:openssh\.com|libssh\.org|ssh\.com|lysator\.liu\.se|tinyssh\.org|openssh\.org|putty\.org|cert\.org)(?<=[\w])"
        r"|(?<![\w.-])[\w.-]{1,64}@\d+(?:\.\d+)*(?![\w.-]*[A-Za-z])|(?<![\w./-])[\w./-]{1,64}@v?\d+\.\d[\w.+-]*"
        r"|(?P<private>(?:\"[^\"\n@]{1,64}\"|(?<![\w.+-])[\w+$^~-][\w.!#$&'*+^`{|}~-]{0,63})"
        r"@(?:(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?!(?:service|socket|timer|target|mount|slice|scope|device|png|jpe?g|svg|webp|gif"
        r"|prod|staging|local|js|ts|css)(?![\w-]))(?:xn--[^\W_][\w-]{1,58}|[^\W\d_]{2,24})(?![^\W_]|-[^\W_])|\[(?:IPv6:)?[\dA-Fa-f:.]{3,45}\])))",
        examples=(
            ("mail from ann.lee+shop@mail.example.org today", "mail from [email] today"),
            ("contact 用户@例え.jp now", "contact [email] now"),
        ),
        counterexamples=(
            "git@github.com:tallow/tallow.git",
            "user@1000.service",
            "react@18.2.0",
            "logo@2x.png",
        ),
        description="E-mail addresses (RFC 5321, RFC 6531).",
    ),
    Rule(
        "email-spelled-out",
        "email",
        Needs(words="at", template=rf"(?i:{_SPELLED_AT}[a-z0][\w-]*(?:{_SPELLED_DOT}|\.)[a-z0])"),
        rf"(?i)(?<![\w.+-])[a-z0-9_][\w+-]{{0,40}}(?:(?:\.|{_SPELLED_DOT})[\w+-]{{1,40}}){{0,3}}{_SPELLED_AT}"
        rf"(?:[a-z0-9][\w-]{{0,40}}(?:{_SPELLED_DOT}|\.)){{1,4}}[a-z]{{2,12}}(?![\w-])",
        is_spelled_address,
        examples=(
            ("contact: bob at example dot com", "contact: [email]"),
            ("write to bob.lee [at] mail [dot] example [dot] org", "write to [email]"),
            ("bob(at)example.com", "[email]"),
        ),
        counterexamples=(
            "panic at main.go",
            "meet at noon",
            "at java.lang.Thread",
            "failed at example.com",
            "the call [at] line 7",
        ),
        description="E-mail addresses with their marks in words.",
    ),
    Rule(
        "email-defanged",
        "email",
        Needs(marks="@[]", template=r"\[@\]|@[\w?.\[\]-]{1,200}\[\.\]"),
        r"(?<![\w.+-])[\w+][\w.+-]{0,63}(?:\[@\](?:[\w-]{1,60}\[?\.\]?){1,6}|@(?:[\w-]{1,60}\.){0,6}[\w-]{1,60}\[\.\](?:[\w-]{1,60}\[?\.\]?){0,6})"
        r"[A-Za-z]{2,12}(?![\w-])",
        examples=(("from bob@mail.example[.]com today", "from [email] today"),),
        counterexamples=("a[@]b", "xs[.] @ 3"),
        description="The same with brackets around the marks, as reports of abuse write them.",
    ),
    Rule(
        "ipv4",
        "ip",
        Needs(marks="...", numbers=("0.0.0.0",), template=r"0\.0{1,3}\.0{1,3}\.0"),
        rf"\d(?<![A-Za-z0-9.]\d){_REST}(?![A-Za-z0-9]|\.\d|-[A-Za-z])",
        is_ipv4,
        examples=(
            ("peer 203.0.113.77:443 left", "peer [ip]:443 left"),
            ("client_203.0.113.77_log", "client_[ip]_log"),
        ),
        counterexamples=(
            "version 1.2.3.4",
            "Chrome/120.0.6099.109",
            "bound to 0.0.0.0:8080",
            "10.0.0.0/8",
            "upgraded openssl 3.0.16.2-1",
            "mariadb 10.5.2.1-2 amd64",
            "nss 115.0.2.1-1~deb12u1",
            "upgraded from 1.2.3.4 to 1.2.3.5",
            "relay@2.1.4.3 ready",
        ),
        description="Addresses of version 4, but for the machine's own, masks, private networks and versions.",
        context=_is_address,
    ),
    Rule(
        "ipv4-with-port",
        "ip",
        Needs(
            marks="....",
            numbers=("0.0.0.0.0",),
            words="tcp udp ip in",
            template=r"0\.0{1,3}\.0{1,3}\.0{1,3}\.0",
        ),
        rf"\d(?<![\w.]\d){_REST}(?=\.\d{{1,5}}(?![\w.]))",
        is_ipv4,
        examples=(("IP 203.0.113.7.42688 > 198.51.100.4.443: Flags", "IP [ip].42688 > [ip].443: Flags"),),
        counterexamples=("snmp oid 1.3.6.1.4.1.311.21.20",),
        description="The same with a port as a fifth part, as tcpdump and netstat write it.",
    ),
    Rule(
        "ip-host-name",
        "ip",
        Needs(parts=("ip-0",), marks="----", digits=4, template=r"ip-0{1,3}-0"),
        r"(?<![A-Za-z0-9])ip-(?P<private>\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3})(?!\d)",
        examples=(("node ip-10-0-3-17 is ready", "node ip-[ip] is ready"),),
        counterexamples=("strip-1-2-3-4",),
        description="Host names made of addresses, as clouds give them.",
    ),
    Rule(
        "ipv6",
        "ip",
        Needs(parts=("::",), digits=1, template=r"[0A-Fa-f]::|::[0A-Fa-f]"),
        _V6,
        is_ipv6,
        examples=(
            ("at [2001:db8::1ff:8a2e]:443 now", "at [[ip]]:443 now"),
            ("from ::ffff:203.0.113.9 now", "from [ip] now"),
        ),
        counterexamples=("listening on [::1]:9090", "std::vector<int> a::b 12:34:56", "xs[::2]", "fe80::/10"),
        description="Addresses of version 6, compressed or mapped.",
    ),
    Rule(
        "ipv6-full",
        "ip",
        Needs(marks=":::::::", digits=1, template=r"(?:[0A-Fa-f]{1,4}:){7}"),
        _V6,
        is_ipv6,
        examples=(("banned ip 2345:0425:2CA1:0000:0000:0567:5673:23b5 for 600s", "banned ip [ip] for 600s"),),
        counterexamples=("sha 3c:22:fb:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d",),
        description="Addresses of version 6 in all their eight groups.",
    ),
    Rule(
        "mac",
        "mac",
        Needs(marks=":::::", hex_forms=("hh:hh:hh:hh:hh:hh",), template=r"(?:[0A-Fa-f]{2}:){5}[0A-Fa-f]{2}"),
        r"(?P<private>[0-9A-Fa-f](?<![0-9A-Za-z:.-].)[0-9A-Fa-f](?::[0-9A-Fa-f]{2}){5})(?![:-]?[0-9A-Fa-f]|[A-Za-z])",
        is_mac,
        examples=(("nic 3c:52:82:1f:aa:0b up", "nic [mac] up"),),
        counterexamples=(
            "ff:ff:ff:ff:ff:ff",
            "SHA1 3c:22:fb:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11",
        ),
        description="Hardware addresses, six octets.",
    ),
    Rule(
        "mac-hyphens",
        "mac",
        Needs(marks="-----", hex_forms=("hh-hh-hh-hh-hh-hh",), template=r"(?:[0A-Fa-f]{2}-){5}[0A-Fa-f]{2}"),
        r"(?P<private>[0-9A-Fa-f](?<![0-9A-Za-z:.-].)[0-9A-Fa-f](?:-[0-9A-Fa-f]{2}){5})(?![:-]?[0-9A-Fa-f]|[A-Za-z])",
        is_mac,
        examples=(("nic 3C-52-82-1F-AA-0B up", "nic [mac] up"),),
        counterexamples=("ff-ff-ff-ff-ff-ff",),
        description="The same with hyphens, as Windows writes it.",
    ),
    Rule(
        "mac-dotted",
        "mac",
        Needs(
            marks="..", hex_forms=("hhhh.hhhh.hhhh",), template=r"[0A-Fa-f]{4}\.[0A-Fa-f]{4}\.[0A-Fa-f]{4}"
        ),
        r"(?P<private>[0-9A-Fa-f](?<![0-9A-Za-z.-].)[0-9A-Fa-f]{3}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![0-9A-Za-z-]|\.[0-9A-Za-z])",
        lambda text: is_mac(text) and not text.replace(".", "").isdigit(),
        examples=(("Physical address aabb.ccdd.eeff up", "Physical address [mac] up"),),
        counterexamples=("version 1024.2048.4096",),
        description="Hardware addresses in three groups, as Cisco writes them.",
    ),
    Rule(
        "mac-short",
        "mac",
        Needs(words="at ether lladdr", marks=":::::", template=r"[0A-Fa-f]{1,2}(?::[0A-Fa-f]{1,2}){5}"),
        r"(?:\b(?:at|ether|lladdr) (?P<private>[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5})(?![:.-]?[0-9A-Za-z])"
        r"|(?<![\w:.-])(?P<private2>[0-9A-Fa-f]{1,2}(?::[0-9A-Fa-f]{1,2}){5})(?= (?:at|on|dev)\b))",
        lambda text: is_mac(text) and len(text) < 17,
        examples=(("? (gateway) at 0:1c:42:0:0:8 on en0", "? (gateway) at [mac] on en0"),),
        counterexamples=("meet at 12:30 on Monday",),
        description="The same without leading zeros, as macOS and Solaris write it.",
    ),
    Rule(
        "mac-plain",
        "mac",
        Needs(
            words="mac hwaddr ether macaddress hardware macaddr",
            hex_forms=("hhhhhhhhhhhh",),
            digits=1,
            template=r"(?i:mac|hwaddr|ether|addr|address)[ :=]{1,3}[0A-Fa-f]{12}",
        ),
        r"\b(?:[Mm][Aa][Cc](?:[ _-]?[Aa]ddr(?:ess)?)?|[Hh][Ww]addr|ether|[Hh]ardware [Aa]ddress)[ :=]{1,3}(?P<private>(?=[0-9A-Fa-f]*\d)(?=\d*[A-Fa-f])[0-9A-Fa-f]{12})(?![\w-])",
        is_mac,
        examples=(("mac 3c52821faa0b joined", "mac [mac] joined"),),
        counterexamples=("commit 3c52821faa0b",),
        description="Twelve hexadecimal digits that the text calls a hardware address.",
    ),
    Rule(
        "mac-chain",
        "mac",
        Needs(
            marks="::::::", hex_forms=("hh:hh:hh:hh:hh:hh:hh",), template=r"(?:[0A-Fa-f]{2}:){6}[0A-Fa-f]{2}"
        ),
        r"(?P<private>[0-9A-Fa-f](?<![0-9A-Za-z:.-].)[0-9A-Fa-f](?::[0-9A-Fa-f]{2}){6,18})(?![:-]?[0-9A-Fa-f])",
        holds_mac,
        examples=(("lease 01:3c:52:82:1f:aa:0b printer", "lease [mac] printer"),),
        counterexamples=("sha 3c:22:fb:01:02:03:04:05:06:07:08:09:0a:0b:0c:0d:0e:0f:10:11",),
        description="Hardware addresses within frames and identifiers.",
    ),
)
