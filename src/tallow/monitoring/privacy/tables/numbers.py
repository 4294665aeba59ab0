"""Detectors of numbers that identify somebody: cards, accounts, telephones, identity numbers."""

from __future__ import annotations

import re
from typing import Final

from tallow.monitoring.privacy.model import Needs, Rule
from tallow.monitoring.privacy.validators import (
    digits_of,
    iban_pattern,
    is_card_text,
    is_cpf,
    is_iban_text,
    is_international,
    is_nir,
    is_ssn,
)

_UNITS: Final = re.compile(r" ?(?:[KMGT]?i?B|bytes|octets|[nmuµ]?s|seconds|items|rows|records)\b")
_COUNTED: Final = re.compile(
    r"(?:(?:^|[^A-Za-z])(?i:id|ids|ns|seq|offset|time|ts|count|bytes|size|nonce|timestamp|order|sku|isbn|ean|total|length|sent|received"
    r"|limit|version|serial|invoice|ticket|uid|pid)|[a-z](?:Id|ID|Size|Bytes|Count|Time|Ns|Ms))[\"']?[=: ]{1,3}$"
)
"""What says of a number behind it that it is a count, a time or an identifier."""
_CALLS: Final = (
    r"[Tt]ele(?:phone|fono?|fone|fax)s?|[Pp]hones?|[Ff]ax|[Ff]on|[Tt]el|[Mm]obile?|[Cc]ell(?:ular|phone)?|[Ss][Mm][Ss]|[Ww]hats[Aa]pp|[Cc]aller"
    r"|[Cc]all(?:ed|ing)?|[Dd]ial(?:l?ed|l?ing)?|[Tt]ext(?:ed)?|[Cc]allback|[Cc]ontact|[Hh]andy|[Rr]ufnummer|[Cc]elular|[Mm][Ss][Ii][Ss][Dd][Nn]"
    r"|[Rr]each (?:me|us)"
)
_PLACES: Final = re.compile(
    r"(?:(?:^|[^A-Za-z])(?i:location|located|position|gps|geo|coord\w{0,8}|lat\w{0,6}|lng|lon|long|maps?|near|point|place|ll|center|centre|waypoint"
    r"|destination|pickup|dropoff|fix)|@|[?&](?:q|ll|center|loc|daddr|saddr)=)[^\nA-Za-z0-9]{0,24}$"
)
_CARD_GROUPS: Final = ("0000 0000 0000 0000", "0000-0000-0000-0000", "0000 000000 0000", "0000-000000-0000")


_NATIONAL_FORMS: Final = (
    *("(00", "00)", "00 000 0000", "00-000-0000", "00 0000 0000", "00-0000-0000"),
    *(f"{area}{mark}{'0' * (9 - len(area))}" for area in ("000", "0000", "00000") for mark in " -/"),
    *(f"000{mark}{number}{gap}00" for number in ("000", "0000", "00000") for mark in " -/" for gap in " -"),
)
"""How national numbers are grouped: an area of two to five digits, nine digits at least in all."""


def _is_no_amount(text: str, _start: int, end: int) -> bool:
    """Whether no unit stands behind a number."""
    return _UNITS.match(text, end) is None


def _is_no_count(text: str, start: int, end: int) -> bool:
    """Whether neither a unit behind a number nor a word before it makes it a count."""
    return _UNITS.match(text, end) is None and _COUNTED.search(text[max(0, start - 18) : start]) is None


def _is_in_place(text: str, start: int, _end: int) -> bool:
    """Whether a word for a place stands before."""
    return _PLACES.search(text[max(0, start - 48) : start]) is not None


RULES: Final = (
    Rule(
        "card",
        "card",
        Needs(
            digits=13,
            chains=("0" * 13, *_CARD_GROUPS),
            template=r"0{13}|0{4}[ -]0{4}[ -]0{4}[ -]0{4}|0{4}[ -]0{6}[ -]0{4}",
        ),
        r"(?P<private>\d(?<![\dA-Za-z.]\d)(?<!\d-\d)(?:\d{12,18}|(?<!\d{4} \d)\d{3}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?!(?:[ -]\d{4}){2})(?:(?P=gap)\d{1,3}(?![\d/]))?"
        r"|\d{3}(?P<gap2>[ -])\d{6}(?P=gap2)\d{4,5}))(?!\d|\.\d|-\d)",
        is_card_text,
        examples=(
            ("card 4111 1111 1111 1111 declined", "card [card] declined"),
            ("raw: 378282246310005|12", "raw: [card]|12"),
        ),
        counterexamples=(
            "file_size=4111111111111111",
            "1719305254000",
            "100000000000000000000",
            "isbn 9783161484100",
        ),
        description="Payment cards (ISO 7812): a network's first digits, a length it issues, and the checksum.",
        context=_is_no_count,
    ),
    Rule(
        "card-behind-number",
        "card",
        Needs(
            digits=17,
            chains=tuple(f"0 {groups}" for groups in _CARD_GROUPS[::2]),
            template=r"0 0{4} 0{4} 0{4} 0{4}|0 0{4} 0{6} 0{5}",
        ),
        r"(?<=\d )(?=(?P<private>\d{4} \d{4} \d{4} \d{4}|\d{4} \d{6} \d{5})(?!\d| \d{4}(?!\d)|\.\d|-\d))",
        is_card_text,
        examples=(("batch 2026 4111 1111 1111 1111 declined", "batch 2026 [card] declined"),),
        counterexamples=("0x00e0: 1024 4111 1111 1111 1111 2048",),
        description="The same behind other numbers.",
    ),
    Rule(
        "card-in-any-groups",
        "card",
        Needs(digits=13, chains=("~0000000000000",), template=r"0(?:[ -]?0){12}"),
        r"(?P<private>\d(?<![\dA-Za-z.]\d)(?<!\d[ -]\d)(?:(?: ?\d){12,18}|(?:-?\d){12,18}))(?!\d|[.]\d|[ -]\d)",
        lambda text: is_card_text(text) and _is_grouped(text),
        examples=(("pan 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 given", "pan [card] given"),),
        counterexamples=("978-3-16-148410-0",),
        description="The same in groups of any size, alone.",
        context=_is_no_count,
    ),
    Rule(
        "iban",
        "iban",
        Needs(digits=9, forms=("aa00",), template=r"(?<![A-Za-z0])[A-Za-z]{2}00(?:[ -]?[A-Za-z0]){11}"),
        rf"(?<![A-Za-z0-9])(?P<private>{iban_pattern()})(?![A-Za-z0-9])",
        is_iban_text,
        examples=(
            ("pay DE89 3704 0044 0532 0130 00 now", "pay [iban] now"),
            ("iban=GB82WEST12345698765432", "iban=[iban]"),
        ),
        counterexamples=("DE89 3704 0044 0532 0130 01", "AB12 build 4411"),
        description="Bank accounts (ISO 13616): the country's length, and 1 modulo 97.",
    ),
    Rule(
        "us-ssn",
        "ssn",
        Needs(digits=9, chains=("000-00-0000",)),
        r"(?P<private>\d(?<![\d-]\d)\d{2}-\d{2}-\d{4})(?![\d-]|\.\d)",
        is_ssn,
        examples=(("applicant 536-22-1234 approved", "applicant [ssn] approved"),),
        counterexamples=("pages 000-22-1234", "24-11-2026"),
        description="United States social security numbers that can have been issued.",
    ),
    Rule(
        "us-ssn-named",
        "ssn",
        Needs(words="ssn ssns social sin", digits=9, template=r"(?i:ssn|security|sin)[^\n]{0,30}0"),
        r"(?:\b[Ss][Ss][Nn]s?|[Ss](?i:ocial[ _-]security(?:[ _-](?:number|no|num|nr))?)|\b(?:SIN|sin))\b\.?[\"']?(?:[ :=#'\"(]|is|was|of|number|no|[A-Za-z]{1,12}[ ]){0,6}"
        r"(?P<private>\d{3}[ .-]?\d{2}[ .-]?\d{4}|\d{3} \d{3} \d{3})(?![\d])",
        examples=(
            ("My social security number is 109.99.6000", "My social security number is [ssn]"),
            ("ssn 078.05.1123", "ssn [ssn]"),
        ),
        counterexamples=("ssn check took 3 ms",),
        description="Nine digits in any groups that the text calls a social security number.",
    ),
    Rule(
        "uk-national-insurance",
        "ssn",
        Needs(digits=6, forms=("aa 00 00 00 a", "aa000000a")),
        r"(?<![A-Za-z0-9])(?P<private>(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: \d\d \d\d \d\d |\d{6})[A-D])(?![A-Za-z0-9])",
        examples=(("NI number AB 12 34 56 C on file", "NI number [ssn] on file"),),
        counterexamples=("part AB 12 34 56",),
        description="British national insurance numbers.",
    ),
    Rule(
        "brazil-cpf",
        "ssn",
        Needs(digits=11, chains=("000.000.000-00",)),
        r"(?<![\d.])(?P<private>\d{3}\.\d{3}\.\d{3}-\d{2})(?![\d-])",
        is_cpf,
        examples=(("cliente 529.982.247-25 aprovado", "cliente [ssn] aprovado"),),
        counterexamples=("cliente 529.982.247-26 aprovado",),
        description="Numbers of Brazil's register of persons, with their check digits.",
    ),
    Rule(
        "italy-codice-fiscale",
        "ssn",
        Needs(digits=7, forms=("aaaaaa00a00a000a",)),
        r"(?<![A-Za-z0-9])(?P<private>[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])(?![A-Za-z0-9])",
        examples=(("contribuente RSSMRA85T10A562S trovato", "contribuente [ssn] trovato"),),
        counterexamples=("module ABCDEF12345678901",),
        description="Italian tax codes.",
    ),
    Rule(
        "france-nir",
        "ssn",
        Needs(digits=15, chains=("000 000 00",), template=r"0 ?00 ?00 ?00 ?0{3} ?0{3} ?00"),
        r"(?<!\d)(?<!\d )(?P<private>[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?\d\d ?\d{3} ?\d{3} ?\d\d)(?!\d| \d)",
        lambda text: is_nir(text) and " " in text,
        examples=(("assuré 2 55 08 14 168 025 38 trouvé", "assuré [ssn] trouvé"),),
        counterexamples=("table 2 55 08 14 168 025 39",),
        description="French social security numbers in their groups, with their key.",
    ),
    Rule(
        "identity-number-named",
        "ssn",
        Needs(
            words="aadhaar aadhar pesel passport licence license nino dni nie nhs bsn curp tin itin insurance personnummer",
            template=r"(?:[Aa]adhaa?r|PESEL|[Pp]esel|[Pp]assport|[Ll]icen[cs]e|NINO|[Nn]ino|DNI|dni|NIE|nie|NHS|nhs|BSN|bsn|CURP|curp|ITIN|itin|[Ii]nsurance|[Pp]ersonnummer)[^\n]{0,24}0",
        ),
        r"\b(?:[Aa]adhaa?r|PESEL|[Pp]esel|[Pp]assport|[Dd]riv(?:er'?s?|ing) [Ll]icen[cs]e|NINO|[Nn]ino|DNI|dni|NIE|nie|NHS|nhs|BSN|bsn|CURP|curp|ITIN|itin|[Ii]nsurance|[Pp]ersonnummer)"
        r"(?: (?i:number|no\.?|num|nr\.?|#|card|id))?(?:[ :=#'\"]| is| was){1,6}(?P<private>(?=[A-Z -]{0,6}\d)[A-Z0-9](?:[ -]?[A-Z0-9]){6,17})(?![\w-])",
        examples=(
            ("passport no C01X00T47 scanned", "passport no [ssn] scanned"),
            ("aadhaar 2345 6789 0123 linked", "aadhaar [ssn] linked"),
        ),
        counterexamples=("passport check skipped",),
        description="Numbers that the text calls those of a passport, a licence, an insurance.",
    ),
    Rule(
        "phone-international",
        "phone",
        Needs(marks="+", digits=8, template=r"\+ ?\(?0(?:[ ().\-/]{0,2}0){7}"),
        r"\+(?<![\w.+]\+) ?\(?\d(?:[ ().\-/\u00a0]{0,2}\d){7,14}(?!\d)",
        is_international,
        examples=(("from +49 30 9018 2000 now", "from [phone] now"), ("tel:+1-201-555-0123", "tel:[phone]")),
        counterexamples=("2026-11-24T16:14:25.123456+00:00", "+0200", "1e+10"),
        description="Telephone numbers behind a plus (E.164).",
        context=_is_no_amount,
    ),
    Rule(
        "phone-double-zero",
        "phone",
        Needs(
            digits=10,
            chains=("0000000000", "0000 0", "00 00", "0000-0", "0000/0", "0000("),
            template=r"00 ?0(?:[ ().\-/]{0,2}0){7}",
        ),
        r"00(?<![\w.+:\-/]00)(?<!\d 00) ?[1-9](?:[ ().\-/]{0,2}\d){7,13}(?!\d)",
        lambda text: is_international(text) and (not text.isdigit() or 11 < len(text) < 16),
        examples=(("line 0049 30 9012345 busy", "line [phone] busy"),),
        counterexamples=("00000000-0000", "offset 00123"),
        description="The same behind two zeros.",
        context=_is_no_amount,
    ),
    Rule(
        "us-phone",
        "phone",
        Needs(
            digits=10,
            chains=("000-000-0000", "000.000.0000", "000 000 0000", "(000) 000", "(000)000"),
            template=r"0{3}[ .-]0{3}[ .-]0{4}|\(0{3}\) ?0{3}[ .-]0{4}",
        ),
        r"[2-9(](?<![\w.+\-/:].)(?<!\d .)(?<!1-.)(?:(?<=\()[2-9]\d{2}\) ?\d{3}[ .-]\d{4}|(?<=\d)\d{2}(?P<gap>[ .-])\d{3}(?P=gap)\d{4})(?![\w-]|\.\d)"
        r"|1(?<![\w.+\-/:]1)[ .-](?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)",
        examples=(
            ("now (415) 555-0132 rings", "now [phone] rings"),
            ("now 415-555-0132 rings", "now [phone] rings"),
        ),
        counterexamples=("rows 415-555", "line 415 column 555", "24-11-2026"),
        description="Numbers of North America: three, three and four digits.",
        context=_is_no_amount,
    ),
    Rule(
        "national-phone",
        "phone",
        Needs(
            digits=9,
            chains=_NATIONAL_FORMS,
            template=r"\(00{1,4}\) ?0{2,4}[ -]?0{2}|\(00\) ?0?0{4}-0{4}|0{3,5}[ /-](?:0{6}|0{3,5}[ -]0{2})|0{4,5}[ /-]0{5}|0{5}[ /-]0{4}|0{2,3}[ -]0{3,4}[ -]0{4}",
        ),
        r"[0(](?<![\w.+\-/:,].)(?<!\d .)(?:(?<=\()0[1-9]\d{0,3}\) ?\d{2,4}[ -]?\d{2,5}(?:[ -]\d{2,5})?|(?<=\()[1-9]\d\) ?9?\d{4}-\d{4}"
        r"|(?<=0)[1-9]\d{1,3}[ /-]\d{3,8}(?:[ -]\d{2,5}){0,2}|(?<=0)[1-9]\d?[ -]\d{3,4}[ -]\d{4})(?![\w:-]|\.\d|/\d)",
        lambda text: 9 <= len(digits_of(text)) <= 12,
        examples=(
            (
                "callback number (02) 5550 1234 requested, ticket 7",
                "callback number [phone] requested, ticket 7",
            ),
            ("line 07946 012345 failed", "line [phone] failed"),
        ),
        counterexamples=("pages 0123-0456", "04/11/2026", "00:00:12.345"),
        description="National numbers with their leading zero, or an area in parentheses.",
        context=_is_no_amount,
    ),
    Rule(
        "phone-in-pairs",
        "phone",
        Needs(
            digits=10,
            chains=("00 00 00 00 00", "00.00.00.00.00", "00-00-00-00-00"),
            template=r"00(?:[ .-]00){4}",
        ),
        r"0(?<![\w.+\-/:]0)(?<!\d 0)[1-9](?P<gap>[ .-])\d{2}(?P=gap)\d{2}(?P=gap)\d{2}(?P=gap)\d{2}(?![\w:-]|\.\d)",
        examples=(("line 06 12 34 56 78 failed", "line [phone] failed"),),
        counterexamples=("01.02.2026 10:00",),
        description="Numbers in five pairs, as in France.",
    ),
    Rule(
        "phone-named",
        "phone",
        Needs(
            words="phone phones telephone telephones telefon telefono telefone fax tel mobile mobil cell cellphone cellular sms whatsapp caller call called"
            " calling dial dialed dialled dialing dialling texted text callback contact handy rufnummer celular msisdn reach fon",
            digits=7,
            template=r"(?i:phone|fono?|fone|fax|fon|tel|mobile?|cell|cellular|cellphone|sms|whatsapp|caller|call|called|calling|dial[\w?]{0,6}|text|texted|callback|contact|handy|rufnummer|celular|msisdn|reach me|reach us)s?(?:\.|'s)?(?: (?i:sent|number|no\.?|to|number:|at|me at|is|from|on|back))*[ :=\"']{1,3}\(?\+?0(?:[ ().\-]{0,2}0){6}",
        ),
        rf"(?<![\w-])(?:{_CALLS})\b(?:\.|'s)?(?: (?:sent|number|no\.?|to|number:|at|me at|is|from|on|back))*[ :=\"']{{1,3}}"
        r"(?P<private>\(?\+?\d(?:[ ().\-]{0,2}\d){6,14})(?![\w])",
        lambda text: not _is_count_or_date(text),
        examples=(
            ("tel 4155550132 out of service", "tel [phone] out of service"),
            ("phone: 4155550132", "phone: [phone]"),
        ),
        counterexamples=("call 12345678 returned", "cell 1234567 updated", "phone home disabled"),
        description="Digits of any form that the text calls a telephone number.",
        context=_is_no_amount,
    ),
    Rule(
        "phone-named-elsewhere",
        "phone",
        Needs(marks="?", digits=7),
        r"(?:телефон|電話|电话|手机|전화|τηλέφωνο|هاتف|टेलीफोन|[Tt]eléfono|[Tt]éléphone|[Mm]óvil|[Nn]uméro|[Nn]úmero)[\w]{0,4}[ :=：]{1,3}(?P<private>\(?\+?\d(?:[ ().\-]{0,2}\d){6,14})(?![\w])",
        examples=(("電話：03-5123-4567", "電話：[phone]"),),
        counterexamples=("電話なし",),
        description="The same in other scripts.",
        context=_is_no_amount,
    ),
    Rule(
        "coordinate-pair",
        "geo",
        Needs(marks="..", digits=8, forms=(".0000",), template=r"0\.0{4,12}[,;/ ]\s?[-+]?0{1,3}\.0{4}"),
        r"[-+0-9](?<![\w.].)\d{0,2}\.\d{4,12}(?:[,;/]\s?|\s)[-+]?\d{1,3}\.\d{4,12}(?![.\w])",
        examples=(("gps 48.13715,11.57612 fixed", "gps [geo] fixed"),),
        counterexamples=("loss 0.01234, accuracy 0.98765",),
        description="A latitude and a longitude behind a word for a place.",
        context=_is_in_place,
    ),
)


def _is_grouped(text: str) -> bool:
    sizes = [len(group) for group in text.replace("-", " ").split(" ")]
    return len(sizes) > 1 and (sizes[0] > 3 or set(sizes) == {1})


def _is_count_or_date(text: str) -> bool:
    parts = text.replace("/", "-").replace(".", "-").split("-")
    dated = (
        len(parts) == 3
        and any(len(part) == 4 for part in parts)
        and max(map(len, parts)) == 4
        and len(parts[0]) != 3
    )
    return dated or (text.isdigit() and len(text) < 9)
