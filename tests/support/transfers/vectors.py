"""The protocol's test vectors: every implementation must compute the same values.

`PYTHONPATH=tests python -m support.transfers.vectors` regenerates ``tests/app/crypto/vectors.json`` from its
inputs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.registries import tallow_metrics
from tallow.app.channels.tcp.proof import ConnectionProof
from tallow.app.crypto.frames import NO_FILE, FrameHeader, FrameSealer, FrameType
from tallow.app.crypto.handshake import ReceiverHandshake, SenderHandshake
from tallow.app.crypto.key_schedule import SessionKeys
from tallow.app.crypto.sealed_signals import SignalSealer
from tallow.app.peer.link import Link, token_hash
from tallow.monitoring.metrics import Metrics

FILE = Path(__file__).parents[2] / "app" / "crypto" / "vectors.json"

FRAMES = [
    (FrameHeader(FrameType.MANIFEST, NO_FILE, 0, True), b'{"files":[]}'),
    (FrameHeader(FrameType.DATA, 0, 0, False), b"first "),
    (FrameHeader(FrameType.DATA, 0, 6, True), b"and last"),
    (FrameHeader(FrameType.DATA, 1, 2**33, True), b""),
    (FrameHeader(FrameType.FINISH, NO_FILE, 0, True), b""),
]


def compute(inputs: dict[str, Any]) -> dict[str, Any]:
    """The values that follow from the inputs, bytes in hexadecimal."""
    link = Link(inputs["server"], inputs["room"], bytes.fromhex(inputs["secret"]))
    metrics = tallow_metrics()
    descriptions = [text.encode() for text in inputs["descriptions"]]
    kem = bytes.fromhex(inputs["kem_shared_secret"]), bytes.fromhex(inputs["kem_ciphertext"])
    sender = SenderHandshake(
        link.secret,
        link.room,
        descriptions,
        metrics,
        exchange_key=X25519PrivateKey.from_private_bytes(bytes.fromhex(inputs["sender_x25519"])),
        kem_key=MLKEM768PrivateKey.from_seed_bytes(bytes.fromhex(inputs["sender_mlkem768_seed"])),
    )
    receiver = ReceiverHandshake(
        link.secret,
        link.room,
        descriptions,
        metrics,
        exchange_key=X25519PrivateKey.from_private_bytes(bytes.fromhex(inputs["receiver_x25519"])),
        encapsulate=lambda _key: kem,
    )
    hello = sender.hello()
    reply = receiver.handle_hello(hello)
    sender_confirm = sender.handle_reply(reply)
    receiver_confirm, receiver_session = receiver.handle_confirmation(sender_confirm)
    session = sender.handle_confirmation(receiver_confirm)
    assert session.send_key == receiver_session.receive_key
    nonces = b"\x33" * 32, b"\x44" * 32
    dialled = ConnectionProof(link.secret, nonces, "receiver").dial(b"\x55" * 32)
    answer = ConnectionProof(link.secret, nonces, "sender").answer(dialled)
    assert answer is not None
    signal: dict[str, object] = {"addresses": [["192.0.2.7", 4242]]}
    sealed = SignalSealer(link.secret, "sender").seal("offer", "00" * 8, "tcp", signal, nonce=b"\x66" * 12)
    return {
        "sealed_offer": sealed,
        "connection_proof": dialled.hex(),
        "connection_answer": answer.hex(),
        "link": link.text,
        "join_token": link.join_token.hex(),
        "token_hash": token_hash(link.secret),
        "hello": hello.hex(),
        "reply": reply.hex(),
        "sender_confirm": sender_confirm.hex(),
        "receiver_confirm": receiver_confirm.hex(),
        "transfer": session.transfer_id.hex(),
        "sender_key": session.send_key.hex(),
        "receiver_key": session.receive_key.hex(),
        "sender_frames": frames(session, metrics),
        "receiver_frames": frames(receiver_session, metrics),
    }


def frames(session: SessionKeys, metrics: Metrics) -> list[dict[str, Any]]:
    """The frames that one peer sends, in order."""
    sealer = FrameSealer(session, metrics)
    return [
        {
            "kind": int(header.kind),
            "file": header.file,
            "index": header.index,
            "final": header.final,
            "payload": payload.hex(),
            "frame": sealer.seal(header, payload).hex(),
        }
        for header, payload in FRAMES
    ]


def inputs() -> dict[str, Any]:
    """New inputs. ML-KEM's encapsulation takes no seed, so its random result is part of the inputs."""
    seed = bytes(range(64))
    shared, ciphertext = MLKEM768PrivateKey.from_seed_bytes(seed).public_key().encapsulate()
    return {
        "server": "https://tallow.example",
        "room": "abcdefgh234567ab",
        "secret": bytes(range(16)).hex(),
        "descriptions": ["v=0 offer", "v=0 answer"],
        "sender_x25519": (b"\x11" * 32).hex(),
        "receiver_x25519": (b"\x22" * 32).hex(),
        "sender_mlkem768_seed": seed.hex(),
        "kem_shared_secret": shared.hex(),
        "kem_ciphertext": ciphertext.hex(),
    }


def main() -> None:
    given = json.loads(FILE.read_text())["inputs"] if FILE.exists() else inputs()
    FILE.write_text(json.dumps({"inputs": given, "expected": compute(given)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
