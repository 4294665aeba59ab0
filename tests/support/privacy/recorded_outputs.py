"""Outputs of the scrubber, recorded: every supported Python must give the same.

The inputs are the examples and counterexamples of every row and samples of the corpus with a fixed seed; only
the outputs are in the file, one a line. After an intended change, in ``tests``, this writes it anew:
``python -m support.privacy.recorded_outputs``.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from support.privacy.corpus import FOLDER, samples
from support.privacy.heldout_corpus import heldout_samples
from tallow.monitoring.privacy import Rule, Scrubber
from tallow.monitoring.privacy.detectors import ALL as RULES
from tallow.monitoring.privacy.model import Syntax
from tallow.monitoring.privacy.syntaxes import ALL as SYNTAXES
from tallow.monitoring.privacy.tables.key_names import PERSONAL, PLAIN, SECRET

FILE: Final = FOLDER.parent / "recorded_outputs.jsonl"
_SEED: Final = 7


def inputs() -> Iterator[tuple[str, Any]]:
    """A name and a value for each output."""
    rows: tuple[Rule | Syntax, ...] = (*SYNTAXES, *RULES)
    for row in rows:
        texts = [*(text for text, _ in row.examples), *row.counterexamples]
        yield from ((f"{row.id} {number}", text) for number, text in enumerate(texts))
    for key in (*SECRET, *PERSONAL, *PLAIN):
        pairs = enumerate((*key.examples, *key.counterexamples))
        yield from ((f"{key.id} {number}", {name: value}) for number, (name, value) in pairs)
    for group in ("private", "harmless"):
        for number, sample in enumerate(samples(group, _SEED)):
            yield f"{group} {number}", sample.value
    for number, sample in enumerate(list(heldout_samples(_SEED))[::5]):
        yield f"held out {number}", sample.value
    lines = Path(FOLDER / "adversarial.txt").read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines):
        yield f"adversarial {number}", ast.literal_eval(line) * 3


def outputs() -> Iterator[str]:
    """Each name and what the scrubber makes of its value, as a line of JSON."""
    scrub = Scrubber().value
    for name, value in inputs():
        yield json.dumps([name, scrub(value)], ensure_ascii=False, default=repr)


if __name__ == "__main__":
    FILE.write_text("\n".join(outputs()) + "\n", encoding="utf-8")
