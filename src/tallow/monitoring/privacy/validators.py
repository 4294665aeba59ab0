"""Checks that tell a real card, account or telephone number from digits that only look like one."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import Final

from tallow.monitoring.privacy.words import words

# ISO 7812: leading digits of each network and the lengths it issues.
_NETWORKS: Final = (
    (re.compile(r"4"), (13, 16, 19)),
    (re.compile(r"5[1-5]|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)"), (16,)),
    (re.compile(r"3[47]"), (15,)),
    (re.compile(r"30[0-5]|3[689]"), (14, 16, 19)),
    (re.compile(r"35(?:2[89]|[3-8])"), (16, 17, 18, 19)),
    (re.compile(r"6(?:011|22|4[4-9]|5)|62|81"), (16, 17, 18, 19)),
    (re.compile(r"5[0678]|6[0-9]"), (16, 18, 19)),
    (re.compile(r"220[0-4]|9792|65|60|82|508"), (16, 19)),
)

# ISO 13616: the length of an account number in each country that has them.
_IBAN_LENGTHS: Final = {
    country: length
    for length, countries in {
        15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK",
        21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA", 30: "JO KW MU", 31: "MT SC", 32: "LC", 33: "RU",
    }.items()
    for country in countries.split()
}  # fmt: skip

# ITU E.164 country codes of one and two digits; every other prefix has three.
_SHORT_CODES: Final = words(
    "1 7 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66"
    " 81 82 84 86 90 91 92 93 94 95 98"
)
_LONG_CODE: Final = re.compile(r"2[1-69]\d|3[578]\d|42[013]|5[09]\d|6[789]\d|8[0578]\d|9[679]\d")


_DOUBLED: Final = str.maketrans("0123456789", "0246813579")


def digits_of(text: str) -> str:
    """The digits of a text."""
    return "".join(filter(str.isdigit, text))


def luhn(digits: str) -> bool:
    """The checksum of ISO 7812: payment cards."""
    doubled = digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, digits[::-2])) + sum(map(int, doubled))) % 10 == 0


def is_card(digits: str) -> bool:
    """A payment card's number: a known network, a length it issues, and the checksum."""
    if not 13 <= len(digits) <= 19 or not luhn(digits) or digits.count(digits[0]) == len(digits):
        return False
    return any(len(digits) in lengths and start.match(digits) is not None for start, lengths in _NETWORKS)


def is_iban(text: str) -> bool:
    """An international bank account number (ISO 13616): the country's length, and 1 modulo 97."""
    if _IBAN_LENGTHS.get(text[:2].upper()) != len(text) or not (text.isascii() and text.isalnum()):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def iban_pattern() -> str:
    """The form of an account number by country, with or without blanks or hyphens between groups of four."""
    by_length: dict[int, list[str]] = {}
    for country, length in _IBAN_LENGTHS.items():
        by_length.setdefault(length, []).append(country)
    forms = (
        rf"(?:{'|'.join(countries)})\d\d(?:[ -]?[A-Za-z0-9]{{4}}){{{(length - 4) // 4}}}"
        + (rf"[ -]?[A-Za-z0-9]{{{(length - 4) % 4}}}" if (length - 4) % 4 else "")
        for length, countries in sorted(by_length.items())
    )
    return f"(?i:{'|'.join(forms)})"


def is_ssn(text: str) -> bool:
    """A United States social security number that can have been issued, with or without marks."""
    digits = digits_of(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in {"000", "666"} and area[0] != "9" and group != "00" and serial != "0000"


def is_international(text: str) -> bool:
    """A number after ``+`` or ``00`` that E.164 could have assigned."""
    digits = digits_of(text)
    digits = digits[2:] if text.lstrip("(")[:2] == "00" else digits
    if digits[:1] == "1":
        return len(digits) == 11 and digits[1] not in "01"
    if digits[:1] == "7":
        return len(digits) == 11
    known = digits[:2] in _SHORT_CODES or _LONG_CODE.match(digits) is not None
    return known and 8 <= len(digits) <= 15


def is_card_text(text: str) -> bool:
    """A payment card's number with or without blanks and hyphens."""
    return is_card(digits_of(text))


def is_iban_text(text: str) -> bool:
    """An international bank account number with or without blanks and hyphens."""
    return is_iban(text.replace(" ", "").replace("-", "").replace("\u00a0", ""))


def is_cpf(text: str) -> bool:
    """A number of Brazil's register of persons: two check digits modulo 11."""
    digits = [int(digit) for digit in digits_of(text)]
    return len(set(digits)) > 1 and all(
        digits[size]
        == sum((size + 1 - place) * digit for place, digit in enumerate(digits[:size])) * 10 % 11 % 10
        for size in (9, 10)
    )


def is_nir(text: str) -> bool:
    """A French number of social security: the last two digits are 97 minus the rest modulo 97."""
    digits = digits_of(text)
    return len(digits) == 15 and int(digits[13:]) == 97 - int(digits[:13]) % 97


def is_basic(text: str) -> bool:
    """What base64 makes of a name, a colon and a password (RFC 7617)."""
    try:
        return b":" in base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False


def is_ipv4(text: str) -> bool:
    """An IPv4 address that is neither loopback, unspecified, a mask nor multicast."""
    octets = text.split(".")
    return (
        octets[0] not in {"0", "127"}
        and len(octets[0]) < 4
        and int(octets[0]) < 224
        and all(len(octet) < 4 and int(octet) < 256 for octet in octets)
    )


def is_ipv6(text: str) -> bool:
    """An address of version 6 that is no loopback, time, slice or scope of a name."""
    address = text.partition("%")[0]
    digits = address.replace(":", "")
    if len(digits) < 5 or not any(map(str.isdigit, digits)):
        return False
    if "::" in address and digits not in {digits.lower(), digits.upper()}:
        return False
    try:
        parsed = ipaddress.IPv6Address(address)
        return not (parsed.is_loopback or parsed.is_multicast)
    except ValueError:
        return False


def is_mac(text: str) -> bool:
    """A hardware address that is neither broadcast nor all zeros."""
    digits = set(text.lower()) - set(":.-")
    return digits not in ({"0"}, {"f"})


_CHAINS: Final = {
    7: re.compile(r"01|ff"),  # a client's identifier (RFC 2132, 9.14)
    8: re.compile(r".{6}fffe"),  # an interface's identifier (RFC 4291, A)
    10: re.compile(r"00030001"),  # a host's identifier (RFC 8415, 11)
    14: re.compile(r"00010001|.*(?:0800|86dd|0806|8100|88cc|8864)$"),  # a frame (IEEE 802)
    18: re.compile(r"ff"),  # both (RFC 4361)
    19: re.compile(r"ff"),
}


def holds_mac(text: str) -> bool:
    """A chain of octets that is a hardware address with something before or behind it."""
    octets = text.replace(":", "").replace("-", "").lower()
    known = _CHAINS.get(len(octets) // 2)
    return known is not None and known.match(octets) is not None


def has_digit_and_letter(text: str) -> bool:
    """Digits and letters, as passwords and codes have them."""
    return any(map(str.isdigit, text)) and any(map(str.isalpha, text))


_ALGORITHM: Final = re.compile(
    r"(?:base|sha|md|utf|hs|rs|es|ps|aes|ed|hmac|ascii|iso|rfc|crc|rsa|oauth|pkcs|http|x|v|k|p|scram|argon|blake|chacha)"
    r"[-_]?\d[\w.-]{0,24}",
    re.IGNORECASE,
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_QUANTITY: Final = re.compile(r"[-+]?[\d.,]+[A-Za-z%µ]{0,3}")


def is_not_algorithm(text: str) -> bool:
    """Whether a word with a digit is not an algorithm or standard, not a UUID, and not a number with a unit.

    Six to eight digits are a code that a person types.
    """
    if _UUID.fullmatch(text):
        return False
    if _QUANTITY.fullmatch(text):
        return text.isdigit() and 6 <= len(text) <= 8
    return has_digit_and_letter(text) and _ALGORITHM.fullmatch(text) is None


_BRACKETED_AT: Final = re.compile(r"[\[({<] ?at ?[\])}>]", re.IGNORECASE)
_DOT: Final = re.compile(r"\bdot\b", re.IGNORECASE)


def is_spelled_address(text: str) -> bool:
    """Whether words are an e-mail address: `` at `` without brackets needs a ``dot`` in letters behind it."""
    return (
        _BRACKETED_AT.search(text) is not None or _DOT.search(text.lower().partition(" at ")[2]) is not None
    )
