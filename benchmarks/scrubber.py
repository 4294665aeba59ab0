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

from benchmarks import scrubber_inputs
from benchmarks.paired_measurement import Row, Work, paired, summed, timed

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from support.privacy import field_cases
from support.privacy.corpus import Sample, samples
from support.privacy.heldout_corpus import heldout_samples
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


COMPETITORS = {
    "logfire": logfire,
    "Sentry Relay": relay,
    "scrubadub": scrubadub,
    "presidio (patterns)": presidio,
}


def corpus() -> list[Any]:
    """Every sample, private and harmless, with new values."""
    seed = random.getrandbits(32)
    return [sample.value for group in ("private", "harmless") for sample in samples(group, seed)]


def texts() -> list[str]:
    """Log text of 64 KiB: texts of the corpus, one per line."""
    lines = [value for value in corpus() if isinstance(value, str)]
    random.shuffle(lines)
    return ["\n".join(random.choices(lines, k=1200))[:65_536]]


def rows() -> list[Row]:
    """The table's rows on the scrubber."""
    warnings.filterwarnings("ignore")
    made = {name: make() for name, make in COMPETITORS.items()}
    ours = _all(Scrubber().value)
    peers = {name: _all(scrub) for name, scrub in made.items()}
    fast = {name: peers[name] for name in ("logfire", "Sentry Relay")}
    aims: dict[str, dict[str, float | None]] = {
        "a record never seen, words and all": {"logfire": 1.0, "Sentry Relay": 0.2},
        "a nested record of 150 bytes, private values in it": {"Sentry Relay": 0.4},
        "a line of a real server's log, its words never seen": {"logfire": 2.0},
        "the same line again with other numbers": {"logfire": 2.0},
        "a record never seen, with two unseen names of keys": {},
    }
    inputs: tuple[Callable[[], list[Any]], ...] = (
        scrubber_inputs.unseen,
        scrubber_inputs.nested,
        scrubber_inputs.server_logs,
        scrubber_inputs.server_logs_again,
        scrubber_inputs.unseen_names,
    )
    found: list[Row] = []
    for (work, aim), make in zip(aims.items(), inputs, strict=True):
        found += paired(work, ours, fast, make, items=len(make()), aims=aim, rounds=11)
    known = paired(
        "a record of a known template", ours, fast, scrubber_inputs.known, items=400, aims={}, rounds=11
    )
    return [
        *found,
        *known,
        _limited("a record of a known template", ours, scrubber_inputs.known, 400, 3.0, "µs"),
        _limited("256 KiB of `k=v `", ours, lambda: [scrubber_inputs.pairs()], 1, 100.0, "ms"),
        *paired("a sample of the corpus", ours, peers, corpus, items=len(corpus()), aims={}, rounds=3),
    ]


def _limited(
    work: str, ours: Work, make: Callable[[], list[Any]], items: int, limit: float, unit: str
) -> Row:
    """A row against a fixed limit instead of a competitor."""
    factor = {"µs": 1e6, "ms": 1e3}[unit]
    ours(make())
    samples = [(timed(ours, make()), limit * items / factor) for _ in range(7)]
    return summed(work, f"limit of {limit:g} {unit}", samples, items, 1.0, unit, factor)


def _all(scrub: Scrub) -> Callable[[list[Any]], None]:
    def work(values: list[Any]) -> None:
        for value in values:
            scrub(value)

    return work


def quality(scrub: Scrub, found: list[Sample]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Samples, leaks and wrecks by theme."""
    total, leaked, changed = Counter[str](), Counter[str](), Counter[str]()
    for sample in found:
        try:
            out = scrub(sample.value)
        except Exception:  # a scrubber that fails drops the record, at best
            out = None
        total[sample.theme] += 1
        if sample.private:
            leaked[sample.theme] += bool(sample.leaks(out))
        else:
            changed[sample.theme] += _plain(out) != _plain(sample.value)
    return total, leaked, changed


def _plain(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, default=repr, sort_keys=True)
    return text.replace("NaN", "null")


def page() -> Iterator[str]:
    """The tables of docs/privacy.md."""
    warnings.filterwarnings("ignore")
    ours: Scrub = Scrubber().value
    private, harmless = samples("private", 7), samples("harmless", 7)
    yield f"{len(private)} private samples, {len(harmless)} look-alikes; records of six fields.\n"
    yield "| scrubber | all removed | changed | µs a typical record | µs a sample | MB/s of text |"
    yield "|---|--:|--:|--:|--:|--:|"
    yield _comparison("Tallow", ours, private, harmless)
    for name, make in COMPETITORS.items():
        yield _comparison(name, make(), private, harmless)
    yield "\nOurs by theme:\n"
    yield "| theme | samples | leaked | changed |\n|---|--:|--:|--:|"
    for found in (private, harmless):
        total, leaked, changed = quality(ours, found)
        yield from (f"| {theme} | {total[theme]} | {leaked[theme]} | {changed[theme]} |" for theme in total)
    yield f"\nThe held-out set, values in shuffled contexts: {_heldout(ours)}."
    yield f"\n`field.jsonl`, cases from public bug reports: {_field_cases(ours)}."
    yield f"\nPython {platform.python_version()}, {platform.machine()}, two shared cores; best CPU time."


def _comparison(name: str, scrub: Scrub, private: list[Sample], harmless: list[Sample]) -> str:
    """A scrubber's row of the first table."""
    total, leaked, _ = quality(scrub, private)
    count, _, changed = quality(scrub, harmless)
    recall = 100 - 100 * leaked.total() / total.total()
    damage = 100 * changed.total() / count.total()
    slow = name not in {"Tallow", "logfire", "Sentry Relay"}
    record = _cost(scrub, scrubber_inputs.known, 1 if slow else 7)
    sample = _cost(scrub, corpus, 1 if slow else 3)
    bulk = 0.065536 / (_cost(scrub, texts, 1 if slow else 5) / 1e6)
    return f"| {name} | {recall:.1f} % | {damage:.1f} % | {record:.3g} | {sample:.3g} | {bulk:.2g} |"


def _heldout(scrub: Scrub) -> str:
    unseen = [sample for seed in (11, 12, 13) for sample in heldout_samples(seed)]
    total, leaked, changed = quality(scrub, unseen)
    secrets = sum(bool(sample.private) for sample in unseen)
    return f"{leaked.total()} of {secrets} leaked, {changed.total()} of {total.total() - secrets} changed"


def _field_cases(scrub: Scrub) -> str:
    """How many cases of the field hold, of how many."""
    cases = field_cases.cases()
    held = sum(not field_cases.faults(case, scrub(case["input"])) for case in cases)
    return f"{held} of {len(cases)} hold"


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
