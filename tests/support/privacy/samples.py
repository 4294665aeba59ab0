"""Generates invented private values and identifiers, different at every call."""

from __future__ import annotations

import base64
import random
import re
import string
import uuid
from collections.abc import Callable
from typing import Final

ALNUM: Final = string.ascii_letters + string.digits
_FIRST: Final = [
    "Ann",
    "Bela",
    "Carla",
    "Dmitri",
    "Erika",
    "Farid",
    "Grace",
    "Hanna",
    "Imre",
    "Jonas",
    "Keiko",
    "Lucia",
    "Marek",
    "Noor",
    "Olga",
    "Pavel",
]
_LAST: Final = [
    "Abbott",
    "Bergmann",
    "Castillo",
    "Duarte",
    "Eriksen",
    "Fontaine",
    "Grabowski",
    "Hoffmann",
    "Ivanova",
    "Jansen",
    "Kovacs",
]
_WORDS: Final = [
    "anchor",
    "basket",
    "candle",
    "dolphin",
    "ember",
    "falcon",
    "garnet",
    "harbor",
    "island",
    "jungle",
    "kettle",
    "lantern",
]
_DOMAINS: Final = ["example.org", "mail.example.com", "corp.example.net", "example.co.uk", "post.example.de"]
_CARDS: Final = (("4", 16), ("51", 16), ("55", 16), ("2221", 16), ("6011", 16), ("3528", 16))
_IBANS: Final = (("DE", 18), ("NL", 0), ("FR", 0), ("GB", 0), ("AT", 16), ("CH", 17), ("ES", 20), ("PL", 24))


class Samples:
    """A generator of values. Equal seeds generate equal values."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._named: dict[str, Callable[[], str]] = {
            name[1:]: getattr(self, name) for name in dir(self) if name[1:] in _NAMES and name[0] == "n"
        }

    def make(self, name: str) -> str:
        """Generate a value by its corpus name: ``email``, ``ip4``, or alphabet and length, ``hex,32``."""
        alphabet, _, length = name.partition(",")
        if length:
            return self._run(alphabet, int(length))
        return self._named[name]()

    def fill(self, form: str) -> str:
        """Generate a value by its name, or fill in a text that has value names between ``«»``."""
        return _VALUE.sub(lambda found: self.make(found[1]), form) if "«" in form else self._literal(form)

    def _literal(self, form: str) -> str:
        return self.make(form) if form in _NAMES or form.partition(",")[0] in _ALPHABETS else form

    def _run(self, alphabet: str, length: int) -> str:
        chars = _ALPHABETS[alphabet]
        if length < 5 or alphabet == "abc":
            run = "".join(self._random.choices(chars, k=length))
            return f"1{run[1:]}" if length > 1 and run[0] == "0" else run
        looks_real = _is_number if alphabet == "dig" else _is_mixed
        while not looks_real(run := "".join(self._random.choices(chars, k=length))):
            pass
        return run

    def _pick(self, options: list[str]) -> str:
        return self._random.choice(options)

    def nfirst(self) -> str:
        return self._pick(_FIRST)

    def nlast(self) -> str:
        return self._pick(_LAST)

    def nword(self) -> str:
        return self._pick(_WORDS)

    def nlogin(self) -> str:
        first, last = self.nfirst().lower(), self.nlast().lower()
        return self._pick([f"{first}.{last}", f"{first}{last}", f"{first[0]}{last}", f"{first}_{last[:4]}"])

    def ndomain(self) -> str:
        return self._pick(_DOMAINS)

    def nemail(self) -> str:
        return f"{self.nlogin()}@{self.ndomain()}"

    def nip4(self) -> str:
        first = self._random.choice([11, 23, 45, 62, 81, 94, 109, 134, 151, 176, 185, 198, 203, 217])
        return ".".join(map(str, (first, *(self._random.randrange(10, 254) for _ in range(3)))))

    def npriv4(self) -> str:
        third, last = self._random.randrange(254), self._random.randrange(2, 254)
        return self._pick(
            [f"10.{third}.{last}.{third + 1}", f"192.168.{third}.{last}", f"172.20.{third}.{last}"]
        )

    def npriv4dash(self) -> str:
        return "-".join(("10", *(str(self._random.randrange(9, 250)) for _ in range(3))))

    def nip6(self) -> str:
        one, two, three = (self._run("hex", 4) for _ in range(3))
        return self._pick([f"2001:db8::{one}:{two}", f"2a02:{one}:{two}::{three}", f"2001:db8:{one}::1"])

    def nip6full(self) -> str:
        return "2001:0db8:" + ":".join(
            "".join(self._random.choices("0123456789abcdef", k=4)) for _ in range(6)
        )

    def _octets(self) -> list[str]:
        return ["3c", *(f"{self._random.randrange(16, 255):02x}" for _ in range(5))]

    def nmac(self) -> str:
        return ":".join(self._octets())

    def nmacdash(self) -> str:
        return "-".join(self._octets()).upper()

    def nmacdot(self) -> str:
        run = "".join(self._octets())
        return f"{run[:4]}.{run[4:8]}.{run[8:]}"

    def ncard(self) -> str:
        start, length = self._random.choice(_CARDS)
        return self._checked(start, length)

    def namex(self) -> str:
        return self._checked("37", 15)

    def ncardsp(self) -> str:
        return self._grouped(self._checked("4", 16), " ")

    def ncarddash(self) -> str:
        return self._grouped(self._checked("51", 16), "-")

    def _grouped(self, digits: str, mark: str) -> str:
        return mark.join(digits[place : place + 4] for place in range(0, len(digits), 4))

    def _checked(self, start: str, length: int) -> str:
        body = start + "".join(self._random.choices("0123456789", k=length - len(start) - 1))
        total = 0
        for place, digit in enumerate(reversed(body)):
            value = int(digit) * (1 if place % 2 else 2)
            total += value - 9 if value > 9 else value
        return body + str(-total % 10)

    def niban(self) -> str:
        country, length = self._random.choice([pair for pair in _IBANS if pair[1]])
        account = "".join(self._random.choices("0123456789", k=length))
        value = int("".join(str(int(char, 36)) for char in account + country + "00"))
        return f"{country}{98 - value % 97:02d}{account}"

    def nibansp(self) -> str:
        return self._grouped(self.niban(), " ")

    def nssn(self) -> str:
        area = self._random.choice([number for number in range(1, 900) if number != 666])
        return f"{area:03d}-{self._random.randrange(1, 100):02d}-{self._random.randrange(1, 10000):04d}"

    def nuuid(self) -> str:
        return str(uuid.UUID(int=self._random.getrandbits(128), version=4))

    def npw(self) -> str:
        word, number = self.nword(), self._random.randrange(10, 9999)
        mark = self._pick(["!", "-", "_", "#", "$", "."])
        return self._pick(
            [f"{word.title()}{mark}{number}", f"{word}{number}{word[:3].upper()}", self._run("an", 12)]
        )

    def npwurl(self) -> str:
        return self._pick([f"{self.nword()}{self._random.randrange(10, 9999)}", self._run("an", 12)])

    def njwt(self) -> str:
        head = self._pick(["eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJFUzI1NiIsInR5cCI6IkpXVCJ9"])
        return f"{head}.eyJzdWIi{self._run('u', 40)}.{self._run('u', 43)}"

    def njwe(self) -> str:
        head = "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0"
        return f"{head}..{self._run('u', 16)}.{self._run('u', 60)}.{self._run('u', 22)}"

    def nbasic(self) -> str:
        return base64.b64encode(f"{self.nlogin()}:{self.npw()}".encode()).decode()

    def nunix(self) -> str:
        return str(self._random.randrange(1_600_000_000, 1_900_000_000))

    def nunixms(self) -> str:
        return str(self._random.randrange(1_600_000_000_000, 1_900_000_000_000))

    def nunixns(self) -> str:
        return str(self._random.randrange(1_600_000_000_000_000_000, 1_900_000_000_000_000_000))

    def nlat(self) -> str:
        return f"{self._random.uniform(-80, 80):.5f}"

    def nlon(self) -> str:
        return f"{self._random.uniform(-170, 170):.5f}"

    def ncode(self) -> str:
        return f"{self._run('code', 4)}-{self._run('code', 4)}"

    def nfile1(self) -> str:
        return f"{self.nword()}-{self._random.randrange(2001, 2027)}.pdf"

    def nfile(self) -> str:
        word, year = self.nword(), self._random.randrange(2001, 2027)
        return self._pick(
            [
                f"{word} {year}.pdf",
                f"{word}_{year}.docx",
                f"IMG_{year}{word}.jpg",
                f"tax-{word}.xlsx",
                f"{word}.zip",
            ]
        )


def _is_number(run: str) -> bool:
    return run.isdigit() and run[0] != "0"


def _is_mixed(run: str) -> bool:
    """Whether a run has letters and digits and begins and ends with one of them."""
    return any(map(str.isdigit, run)) and not run.isdigit() and run[0] in ALNUM and run[-1] in ALNUM


_VALUE: Final = re.compile(r"«([\w,]+)»")
_NAMES: Final = frozenset(name[1:] for name in dir(Samples) if name[0] == "n")
_ALPHABETS: Final = {
    "an": ALNUM,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "up": string.ascii_uppercase + string.digits,
    "low": string.ascii_lowercase + string.digits,
    "abc": string.ascii_lowercase,
    "dig": string.digits,
    "u": ALNUM + "-_",
    "b64": ALNUM + "+/",
    "code": "ABCDEFGHJKLMNPQRSTUVWXYZ23456789",
}
