"""The prefilter hides no match: whatever a row finds in a text, the prefilter lets it try that text."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from support.privacy import recorded_outputs
from support.privacy.corpus import Sample, samples
from support.privacy.heldout_corpus import heldout_samples
from tallow.monitoring.privacy import escapes
from tallow.monitoring.privacy.detectors import ALL as RULES
from tallow.monitoring.privacy.detectors import Detectors
from tallow.monitoring.privacy.engine import KINDS
from tallow.monitoring.privacy.keys import Keys
from tallow.monitoring.privacy.model import needs_of
from tallow.monitoring.privacy.prefilter.prefilter import Prefilter, template
from tallow.monitoring.privacy.syntaxes import Syntaxes

KEYS = Keys()
SYNTAXES = Syntaxes(KEYS, frozenset(), KINDS)
DETECTORS = Detectors(frozenset(), ())
NEEDS = [*(row.prefilter for row in SYNTAXES.rows), *DETECTORS.needs]
PREFILTER = Prefilter([*NEEDS, *escapes.NEEDS], KEYS.endings())
FINDERS = [*SYNTAXES.finders, *DETECTORS.finders]
NARROWED = {"ipv6", "ipv6-full", "ipv4-with-port", "share-link-fragment"}
"""Rows that the prefilter narrows: two share a pattern, and two need a word or a mark beside the match."""
IDS = [row.id for row in SYNTAXES.rows]
IDS += [rule.id for rule in RULES if not needs_of(rule.prefilter).starts]


def hidden(text: str) -> list[str]:
    """The rows that find something in a text and are not tried on it."""
    rows = PREFILTER.candidates(template(text))
    ids = [*IDS, "keys of issuers"]
    skipped = [number for number in range(len(FINDERS)) if not rows >> number & 1]
    return [ids[number] for number in skipped if ids[number] not in NARROWED and list(FINDERS[number](text))]


def texts(found: list[Sample]) -> Iterator[str]:
    for sample in found:
        if isinstance(sample.value, str):
            yield sample.value


def test_no_recorded_input_is_hidden() -> None:
    assert [text for _, text in recorded_outputs.inputs() if isinstance(text, str) and hidden(text)] == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", [21, 22])
def test_no_sample_is_hidden(seed: int) -> None:
    found = [*samples("private", seed), *samples("harmless", seed), *list(heldout_samples(seed))[::4]]
    assert [text for text in texts(found) if hidden(text)] == []


@pytest.mark.slow
def test_no_sample_is_hidden_by_a_changed_character() -> None:
    source = random.Random(23)
    for text in texts(samples("private", 24)):
        place = source.randrange(len(text))
        changed = text[:place] + source.choice("aZ0 .,:;=@-_/\"'()[]{}\n\\%&|<>") + text[place + 1 :]
        assert hidden(changed) == [], changed
