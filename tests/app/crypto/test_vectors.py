"""The committed test vectors match this implementation."""

from __future__ import annotations

import json

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey

from support.transfers.vectors import FILE, compute

VECTORS = json.loads(FILE.read_text())


def test_the_vectors_match_this_implementation() -> None:
    assert compute(VECTORS["inputs"]) == VECTORS["expected"]


def test_the_ciphertext_decapsulates_to_the_shared_secret() -> None:
    inputs = VECTORS["inputs"]
    key = MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(inputs["sender_mlkem768_seed"]))
    assert key.decapsulate(bytes.fromhex(inputs["kem_ciphertext"])).hex() == inputs["kem_shared_secret"]
