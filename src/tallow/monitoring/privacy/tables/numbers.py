"""Detectors of numbers that identify somebody: cards, accounts, telephones, identity numbers."""

from __future__ import annotations

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

_UNIT: Final = r"(?! ?(?:[KMGT]?i?B|bytes|octets|[nmuµ]?s|seconds|items|rows|records|ms)\b)"
_COUNTED: Final = (
    r"(?:(?<![A-Za-z])(?i:id|ids|ns|seq|offset|time|ts|count|bytes|size|nonce|timestamp|order|sku|isbn|ean|total|length|sent|received"
    r"|limit|version|serial|invoice|ticket|uid|pid)|[a-z](?:Id|ID|Size|Bytes|Count|Time|Ns|Ms))[\"']?[=: ]{1,3}"
)
"""Words that say that a number behind them is a count, a time or an identifier."""
_CALLS: Final = (
    r"(?i:tele)?(?i:phone|fon|fono|fone|fax)s?|(?i:tel|mobile|mobil|cell(?:ular|phone)?|sms|whatsapp|caller|called?|dial(?:ed|led|ing)?|texted|callback"
    r"|call(?:ing|ed)?|text|contact|handy|rufnummer|celular|móvil|teléfono|téléphone|telefone|телефон|電話|电话|전화|msisdn|reach (?:me|us))"
)

RULES: Final = (
    Rule(
        "card",
        "card",
        Needs(digits=13),
        _COUNTED
        + r"\d[\d -]{11,22}|(?<![\d.A-Za-z])(?:(?<!\d-)|(?<=\d ))(?P<private>(?:(?<!\d{4} )\d{4}(?P<gap>[ -])\d{4}(?P=gap)\d{4}(?P=gap)\d{4}(?!(?:[ -]\d{4}){2})(?:(?P=gap)\d{1,3}(?![\d/]))?"
        r"|\d{4}(?P<gap2>[ -])\d{6}(?P=gap2)\d{4,5}|\d{13,19}))"
        r"(?![\d]|\.\d|-\d)" + _UNIT,
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
    ),
    Rule(
        "card-behind-number",
        "card",
        Needs(digits=14),
        r"(?<=\d )(?=(?P<private>\d{4} \d{4} \d{4} \d{4}|\d{13,19})(?!\d| \d{4}(?!\d)|\.\d|-\d))",
        is_card_text,
        examples=(("batch 2026 4111 1111 1111 1111 declined", "batch 2026 [card] declined"),),
        counterexamples=("0x00e0: 1024 4111 1111 1111 1111 2048",),
        description="The same behind other numbers.",
    ),
    Rule(
        "card-in-any-groups",
        "card",
        Needs(digits=13),
        r"(?<![\dA-Za-z.])(?<!\d[ -])(?P<private>\d(?: ?\d){12,18}|\d(?:-?\d){12,18})(?!\d|[.]\d|[ -]\d)"
        + _UNIT,
        lambda text: is_card_text(text) and _is_grouped(text),
        examples=(("pan 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 given", "pan [card] given"),),
        counterexamples=("978-3-16-148410-0",),
        description="The same in groups of any size, alone.",
    ),
    Rule(
        "iban",
        "iban",
        Needs(digits=9),
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
        Needs(marks="--", digits=9),
        r"(?<![\d-])(?P<private>\d{3}-\d{2}-\d{4})(?![\d-]|\.\d)",
        is_ssn,
        examples=(("applicant 536-22-1234 approved", "applicant [ssn] approved"),),
        counterexamples=("pages 000-22-1234", "24-11-2026"),
        description="United States social security numbers that can have been issued.",
    ),
    Rule(
        "us-ssn-named",
        "ssn",
        Needs(words="ssn social sin", digits=9),
        r"(?i:\bssns?|social[ _-]security(?:[ _-](?:number|no|num|nr))?|\bsin)\b\.?[\"']?(?:[ :=#'\"(]|is|was|of|number|no|[A-Za-z]{1,12}[ ]){0,6}"
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
        Needs(digits=6),
        r"(?<![A-Za-z0-9])(?P<private>(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: \d\d \d\d \d\d |\d{6})[A-D])(?![A-Za-z0-9])",
        examples=(("NI number AB 12 34 56 C on file", "NI number [ssn] on file"),),
        counterexamples=("part AB 12 34 56",),
        description="British national insurance numbers.",
    ),
    Rule(
        "brazil-cpf",
        "ssn",
        Needs(marks="..-", digits=11),
        r"(?<![\d.])(?P<private>\d{3}\.\d{3}\.\d{3}-\d{2})(?![\d-])",
        is_cpf,
        examples=(("cliente 529.982.247-25 aprovado", "cliente [ssn] aprovado"),),
        counterexamples=("cliente 529.982.247-26 aprovado",),
        description="Numbers of Brazil's register of persons, with their check digits.",
    ),
    Rule(
        "italy-codice-fiscale",
        "ssn",
        Needs(digits=7, run=16),
        r"(?<![A-Za-z0-9])(?P<private>[A-Z]{6}\d{2}[A-EHLMPRST]\d{2}[A-Z]\d{3}[A-Z])(?![A-Za-z0-9])",
        examples=(("contribuente RSSMRA85T10A562S trovato", "contribuente [ssn] trovato"),),
        counterexamples=("module ABCDEF12345678901",),
        description="Italian tax codes.",
    ),
    Rule(
        "france-nir",
        "ssn",
        Needs(digits=15),
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
            words="aadhaar aadhar pesel passport licence license nino dni nie nhs bsn curp tin itin insurance personnummer"
        ),
        r"(?i:aadhaa?r|pesel|passport|driv(?:er'?s?|ing) licen[cs]e|nino|dni|nie|nhs|bsn|curp|itin|insurance|personnummer)"
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
        Needs(marks="+", digits=8),
        r"(?<![\w.+])(?P<private>\+ ?\(?\d(?:[ ().\-/\u00a0]{0,2}\d){7,14})(?!\d)" + _UNIT,
        is_international,
        examples=(("from +49 30 9018 2000 now", "from [phone] now"), ("tel:+1-201-555-0123", "tel:[phone]")),
        counterexamples=("2026-11-24T16:14:25.123456+00:00", "+0200", "1e+10"),
        description="Telephone numbers behind a plus (E.164).",
    ),
    Rule(
        "phone-double-zero",
        "phone",
        Needs(digits=10),
        r"(?<![\w.+:\-/])(?<!\d )(?P<private>00 ?[1-9](?:[ ().\-/]{0,2}\d){7,13})(?!\d)" + _UNIT,
        lambda text: (
            (is_international(text) and not text.isdigit())
            or (11 < len(text) < 16 and is_international(text))
        ),
        examples=(("line 0049 30 9012345 busy", "line [phone] busy"),),
        counterexamples=("00000000-0000", "offset 00123"),
        description="The same behind two zeros.",
    ),
    Rule(
        "us-phone",
        "phone",
        Needs(digits=10),
        r"(?<![\w.+\-/:])(?<!\d )(?:1[ .-])?(?P<private>\([2-9]\d{2}\) ?\d{3}[ .-]\d{4}|(?:1[ .-])?[2-9]\d{2}(?P<gap>[ .-])\d{3}(?P=gap)\d{4})(?![\w-]|\.\d)"
        + _UNIT,
        examples=(
            ("now (415) 555-0132 rings", "now [phone] rings"),
            ("now 415-555-0132 rings", "now [phone] rings"),
        ),
        counterexamples=("rows 415-555", "line 415 column 555", "24-11-2026"),
        description="Numbers of North America: three, three and four digits.",
    ),
    Rule(
        "national-phone",
        "phone",
        Needs(digits=8),
        r"(?<![\w.+\-/:,])(?<!\d )(?P<private>\(0[1-9]\d{0,3}\)[ ]?\d{2,4}[ -]?\d{2,5}(?:[ -]\d{2,5})?|0[1-9]\d{1,3}[ /-]\d{3,8}(?:[ -]\d{2,5}){0,2}"
        r"|0[1-9]\d?[ -]\d{3,4}[ -]\d{4}|\([1-9]\d\) ?9?\d{4}-\d{4})(?![\w:-]|\.\d|/\d)" + _UNIT,
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
    ),
    Rule(
        "phone-in-pairs",
        "phone",
        Needs(digits=10),
        r"(?<![\w.+\-/:])(?<!\d )(?P<private>0[1-9](?P<gap>[ .-])\d{2}(?P=gap)\d{2}(?P=gap)\d{2}(?P=gap)\d{2})(?![\w:-]|\.\d)",
        examples=(("line 06 12 34 56 78 failed", "line [phone] failed"),),
        counterexamples=("01.02.2026 10:00",),
        description="Numbers in five pairs, as in France.",
    ),
    Rule(
        "phone-named",
        "phone",
        Needs(
            words="phone telephone telefon telefono telefone fax tel mobile mobil cell cellphone cellular sms whatsapp caller call called calling dial dialed"
            " dialled dialing texted text callback contact handy rufnummer celular msisdn reach fon",
            digits=7,
        ),
        rf"(?<![\w-])(?:{_CALLS})\b(?:\.|'s)?(?: (?i:sent|number|no\.?|to|number:|at|me at|is|from|on|back))*[ :=\"']{{1,3}}"
        r"(?P<private>\(?\+?\d(?:[ ().\-]{0,2}\d){6,14})(?![\w])" + _UNIT,
        lambda text: not _is_count_or_date(text),
        examples=(
            ("tel 4155550132 out of service", "tel [phone] out of service"),
            ("phone: 4155550132", "phone: [phone]"),
        ),
        counterexamples=("call 12345678 returned", "cell 1234567 updated", "phone home disabled"),
        description="Digits of any form that the text calls a telephone number.",
    ),
    Rule(
        "phone-named-elsewhere",
        "phone",
        Needs(marks="?", digits=7),
        r"(?:телефон|電話|电话|手机|전화|τηλέφωνο|هاتف|टेलीफोन|teléfono|téléphone|móvil|numéro|número)[\w]{0,4}[ :=：]{1,3}(?P<private>\(?\+?\d(?:[ ().\-]{0,2}\d){6,14})(?![\w])",
        examples=(("電話：03-5123-4567", "電話：[phone]"),),
        counterexamples=("電話なし",),
        description="The same in other scripts.",
    ),
    Rule(
        "coordinate-pair",
        "geo",
        Needs(marks="..", digits=8),
        r"(?i:location|located|position|gps|geo|coord\w{0,8}|lat\w{0,6}|lng|lon|long|maps?|near|point|place|ll|center|centre|waypoint|destination"
        r"|pickup|dropoff|fix|at|@)(?![A-Za-z])[^\n\d]{0,24}?(?P<private>[-+]?\d{1,2}\.\d{4,12}(?:[,;/]\s?|\s)[-+]?\d{1,3}\.\d{4,12})(?![.\w])",
        examples=(("gps 48.13715,11.57612 fixed", "gps [geo] fixed"),),
        counterexamples=("loss 0.01234, accuracy 0.98765",),
        description="A latitude and a longitude behind a word for a place.",
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
