"""The output is the same on every supported Python: it is compared with outputs that were recorded once."""

from __future__ import annotations

from itertools import zip_longest

from support.privacy import recorded_outputs


def test_every_output_is_the_recorded_one() -> None:
    recorded = recorded_outputs.FILE.read_text(encoding="utf-8").splitlines()
    assert len(recorded) > 2_000
    found = zip_longest(recorded_outputs.outputs(), recorded)
    assert [(output, expected) for output, expected in found if output != expected] == []
