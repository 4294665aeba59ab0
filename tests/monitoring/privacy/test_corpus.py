"""Samples in the hundreds: nothing private is left of the private, and the look-alikes are unchanged."""

from __future__ import annotations

from collections import Counter

import pytest

from support.privacy.corpus import lines, samples, shown
from support.privacy.heldout_corpus import heldout_samples
from tallow.monitoring.privacy import Scrubber

SEEDS = (1, 2, 3)


def test_the_corpus_is_large_and_has_every_theme() -> None:
    assert sum(1 for _ in lines("private")) > 600
    assert sum(1 for _ in lines("harmless")) > 600
    assert min(Counter(theme for theme, _ in lines("private")).values()) > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_private_is_left(seed: int) -> None:
    scrubber = Scrubber()
    leaks = {
        sample.line: scrubber.value(sample.value)
        for sample in samples("private", seed)
        if sample.leaks(scrubber.value(sample.value))
    }
    assert leaks == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_look_alikes_survive_as_they_are(seed: int) -> None:
    scrubber = Scrubber()
    wrecked = {
        sample.line: shown(scrubber.value(sample.value))
        for sample in samples("harmless", seed)
        if shown(scrubber.value(sample.value)) != shown(sample.value)
    }
    assert wrecked == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_stands_around_private_values_is_kept(seed: int) -> None:
    scrubber = Scrubber()
    found = samples("private", seed)
    lost = [sample.line for sample in found if sample.losses(scrubber.value(sample.value))]
    assert len(lost) < 0.05 * len(found), lost


@pytest.mark.parametrize("seed", SEEDS)
def test_scrubbing_twice_changes_nothing_more(seed: int) -> None:
    scrubber = Scrubber()
    for sample in samples("private", seed):
        once = scrubber.value(sample.value)
        assert scrubber.value(once) == once, sample.line


@pytest.mark.parametrize("seed", SEEDS)
def test_values_in_surroundings_the_rules_were_not_written_for(seed: int) -> None:
    scrubber = Scrubber()
    found = list(heldout_samples(seed))
    private = [sample for sample in found if sample.private]
    harmless = [sample for sample in found if not sample.private]
    leaks = [sample.line for sample in private if sample.leaks(scrubber.value(sample.value))]
    wrecked = [
        sample.line for sample in harmless if shown(scrubber.value(sample.value)) != shown(sample.value)
    ]
    assert len(leaks) < 0.01 * len(private), leaks
    assert len(wrecked) < 0.01 * len(harmless), wrecked
