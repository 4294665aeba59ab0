"""The scrubber against others: what each removes, what each wrecks, and what a record costs.

Every scrubber gets the corpus of the tests, its values made anew for each round. presidio runs its pattern
recognizers without a language model, which would have to be fetched from a hub: names and places in
sentences are beyond it here, and beyond ours. ``python -m benchmarks.scrubber --write`` puts the tables into
docs/privacy.md.
"""

from __future__ import annotations

import json
import logging
import platform
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.paired_measurement import Row, paired

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.corpus import Sample, samples
from support.heldout_corpus import heldout_samples
from tallow.monitoring.privacy import Scrubber

PAGE = Path(__file__).parent.parent / "docs" / "privacy.md"
BEGIN, END = "<!-- table -->\n", "<!-- end of table -->"
Scrub = Callable[[Any], Any]


def logfire() -> Scrub:
    """Pydantic Logfire's, with its default patterns."""
    from logfire._internal.scrubbing import Scrubber as Logfire

    scrubber = Logfire(None)
    return lambda value: scrubber.scrub_value(("attributes", "value"), value)[0]


def relay() -> Scrub:
    """Sentry Relay's (Rust), as for a project with every default on; a text goes in as the message."""
    from sentry_relay.processing import convert_datascrubbing_config, pii_strip_event

    switches = {"scrubData": True, "scrubDefaults": True, "scrubIpAddresses": True}
    config = convert_datascrubbing_config({**switches, "excludeFields": [], "sensitiveFields": []})

    def scrub(value: Any) -> Any:
        event = {"logentry": {"formatted": value}} if isinstance(value, str) else {"extra": {"value": value}}
        stripped = pii_strip_event(config, json.loads(json.dumps(event).replace("NaN", "null")))
        return stripped["logentry"]["formatted"] if isinstance(value, str) else stripped["extra"]["value"]

    return scrub


def scrubadub() -> Scrub:
    """scrubadub with its default detectors, on each text of a record."""
    import scrubadub as library

    scrubber = library.Scrubber()
    return lambda value: _each(value, scrubber.clean)


def presidio() -> Scrub:
    """presidio's pattern recognizers for English, on each text of a record."""
    logging.disable(logging.WARNING)
    from presidio_analyzer import predefined_recognizers as known
    from presidio_analyzer.nlp_engine import NlpArtifacts
    from presidio_anonymizer import AnonymizerEngine

    names = (
        "CreditCard Crypto Email Iban Ip MacAddress Phone Url UsSsn UsBank UsPassport UsLicense UsItin Date"
    )
    recognizers = [
        getattr(known, f"{name}Recognizer")() for name in names.split() if hasattr(known, f"{name}Recognizer")
    ]
    recognizers = [one for one in recognizers if one.supported_language == "en"]
    nothing = NlpArtifacts(
        entities=[], tokens=[], tokens_indices=[], lemmas=[], nlp_engine=None, language="en"
    )
    anonymizer = AnonymizerEngine()

    def clean(text: str) -> str:
        found = [
            result
            for one in recognizers
            for result in one.analyze(text, one.supported_entities, nothing)
            if result.entity_type not in {"DATE_TIME", "URL"} and result.score >= 0.4
        ]
        return anonymizer.anonymize(text, found).text

    return lambda value: _each(value, clean)


def _each(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): _each(item, clean) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, clean) for item in value]
    return value


PEERS = {"logfire": logfire, "Sentry Relay": relay, "scrubadub": scrubadub, "presidio (patterns)": presidio}


def typical() -> list[dict[str, Any]]:
    """Records of a log: a sentence, a route, identifiers, sizes; one in ten with an address in it."""
    made = []
    for _ in range(400):
        number = random.getrandbits(128)
        made.append(
            {
                "message": random.choice(
                    ("Transfer finished", f"Chunk {number % 512} acknowledged after 3 tries")
                ),
                "transfer_id": f"{number:032x}",
                "route": f"/api/v1/rooms/{number % 9999}/status",
                "file_size": number % 10**9,
                "duration_ms": random.random() * 1000,
                "method": random.choice(("relay", "webrtc")),
            }
        )
        if random.random() < 0.1:
            made[-1]["peer"] = ".".join(str(random.randrange(11, 250)) for _ in range(4))
    return made


def strange() -> list[dict[str, Any]]:
    """The same records in words nobody has said before, so that no shape is known (``privacy/shapes.py``)."""
    made = typical()
    for record in made:
        record["message"] = " ".join(map(word, (8, 6, 9, 5)))
        record["route"] = f"/api/v1/{word(7)}/{word(5)}"
        record["method"] = word(6)
    return made


def word(size: int) -> str:
    """Letters."""
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=size))


def corpus() -> list[Any]:
    """Every sample, private and harmless, with values never seen before."""
    seed = random.getrandbits(32)
    return [sample.value for group in ("private", "harmless") for sample in samples(group, seed)]


def texts() -> list[str]:
    """Log files in pieces of 64 KiB: the corpus's texts, a line each."""
    lines = [value for value in corpus() if isinstance(value, str)]
    random.shuffle(lines)
    return ["\n".join(random.choices(lines, k=1200))[:65_536]]


def rows() -> list[Row]:
    """The table's lines on the scrubber."""
    warnings.filterwarnings("ignore")
    made = {name: make() for name, make in PEERS.items()}
    ours = Scrubber().value
    peers = {name: _all(scrub) for name, scrub in made.items()}
    swift = {name: peers[name] for name in ("logfire", "Sentry Relay")}
    aims = {"Sentry Relay": 0.1}
    return [
        *paired("scrub a typical record", _all(ours), swift, typical, items=400, aims=aims, rounds=9),
        *paired("the same in strange words", _all(ours), swift, strange, items=400, aims=aims, rounds=9),
        *paired(
            "scrub a sample of the corpus",
            _all(ours),
            peers,
            corpus,
            items=len(corpus()),
            aims=aims,
            rounds=3,
        ),
    ]


def _all(scrub: Scrub) -> Callable[[list[Any]], None]:
    def work(values: list[Any]) -> None:
        for value in values:
            scrub(value)

    return work


def quality(scrub: Scrub, found: list[Sample]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Samples, leaks and wrecks by theme."""
    total, leaked, wrecked = Counter[str](), Counter[str](), Counter[str]()
    for sample in found:
        try:
            out = scrub(sample.value)
        except Exception:  # a scrubber that fails drops the record, at best
            out = None
        total[sample.theme] += 1
        if sample.private:
            leaked[sample.theme] += bool(sample.leaks(out))
        else:
            wrecked[sample.theme] += _plain(out) != _plain(sample.value)
    return total, leaked, wrecked


def _plain(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, default=repr, sort_keys=True)
    return text.replace("NaN", "null")


def page() -> Iterator[str]:
    """The tables of docs/privacy.md."""
    warnings.filterwarnings("ignore")
    scrubbers: dict[str, Scrub] = {"Tallow": Scrubber().value} | {
        name: make() for name, make in PEERS.items()
    }
    private, harmless = samples("private", 7), samples("harmless", 7)
    yield f"{len(private)} private samples, {len(harmless)} look-alikes; records of six fields.\n"
    yield "| scrubber | all removed | wrecked | µs a typical record | µs a sample | MB/s of text |"
    yield "|---|--:|--:|--:|--:|--:|"
    for name, scrub in scrubbers.items():
        total, leaked, _ = quality(scrub, private)
        count, _, wrecked = quality(scrub, harmless)
        recall = 100 - 100 * leaked.total() / total.total()
        wreck = 100 * wrecked.total() / count.total()
        slow = name not in {"Tallow", "logfire", "Sentry Relay"}
        typically, sampled = _cost(scrub, typical, 1 if slow else 7), _cost(scrub, corpus, 1 if slow else 3)
        bulk = 0.065536 / (_cost(scrub, texts, 1 if slow else 5) / 1e6)
        yield f"| {name} | {recall:.1f} % | {wreck:.1f} % | {typically:.3g} | {sampled:.3g} | {bulk:.2g} |"
    yield "\nOurs by theme:\n"
    yield "| theme | samples | leaked | wrecked |\n|---|--:|--:|--:|"
    ours = scrubbers["Tallow"]
    for found in (private, harmless):
        total, leaked, wrecked = quality(ours, found)
        yield from (f"| {theme} | {total[theme]} | {leaked[theme]} | {wrecked[theme]} |" for theme in total)
    unseen = [sample for seed in (11, 12, 13) for sample in heldout_samples(seed)]
    total, leaked, wrecked = quality(ours, unseen)
    secrets = sum(bool(sample.private) for sample in unseen)
    yield (
        f"\nThe second set, values in shuffled surroundings: {leaked.total()} of {secrets} leaked, "
        f"{wrecked.total()} of {total.total() - secrets} wrecked."
    )
    yield f"\nPython {platform.python_version()}, {platform.machine()}, two shared cores; best CPU time."


def _cost(scrub: Scrub, make: Callable[[], list[Any]], rounds: int) -> float:
    best = float("inf")
    for _ in range(rounds):
        values = make()
        started = time.process_time()
        for value in values:
            scrub(value)
        best = min(best, (time.process_time() - started) / len(values) * 1e6)
    return best


def main() -> None:
    """Print the tables; ``--write`` puts them into the page."""
    text = "\n".join(page()) + "\n"
    print(text)
    if "--write" in sys.argv:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{head}{BEGIN}{text}{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
