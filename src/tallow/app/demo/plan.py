"""Plans of demo transfers: scenario, size, content and options."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

Scenario = Literal[
    "plain",  # nothing special
    "sender_cancels",
    "receiver_cancels",
    "interrupted",  # the connection over the relay is cut, and the transfer resumed
    "signaling_lost",  # the signaling connection is cut, and joined again
    "fallback",  # no direct connection in time: the relay is used
    "no_path",  # the sender uses no relay, and the receiver nothing else: they cannot connect
    "source_changes",  # the file is changed during the transfer, which fails
    "wrong_link",  # a receiver with a mistyped link comes first
    "broken_picture",  # its metadata cannot be removed: it is not sent
    "several_receivers",  # of one link: the last one declines the files, the others receive them
]
DemoOutcome = Literal["success", "failed", "cancelled", "refused"]
FileContent = Literal["picture", "video", "audio", "text", "document", "several"]

CANCELLED: Final[tuple[Scenario, ...]] = ("sender_cancels", "receiver_cancels")
BAD: Final[tuple[Scenario, ...]] = ("no_path", "source_changes", "wrong_link", "broken_picture")
FAILED: Final[tuple[Scenario, ...]] = ("no_path", "source_changes")
RELAYED: Final[tuple[Scenario, ...]] = ("interrupted", "fallback")
OVER_TCP: Final[tuple[Scenario, ...]] = ("plain", "wrong_link", "several_receivers")
"""Scenarios that may use TCP. The others must take long enough to be interrupted."""
CONTENTS: Final[tuple[FileContent, ...]] = (
    "picture",
    "picture",
    "video",
    "audio",
    "text",
    "document",
    "several",
)
MIN_INTERRUPTIBLE_BYTES: Final = 4_000_000
"""Smallest transfer that lasts long enough to be interrupted."""
SMALLEST: Final = 1 / 50
RECEIVERS: Final[tuple[DemoOutcome, ...]] = ("success", "success", "cancelled")
"""Outcomes of the receivers of a link for several: the last one declines."""


@dataclass(frozen=True, slots=True)
class TrafficMix:
    """Shares of the traffic from 0 to 1, and file sizes in bytes.

    ``smallest`` is a fiftieth of ``size`` by default.
    """

    relay: float = 0.2
    cancel: float = 0.1
    bad: float = 0.05
    size: int = 5_000_000
    smallest: int | None = None


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """One transfer.

    Attributes:
        turn: with ``relay``: prefer a TURN server, if there is one, to Tallow's own relay.
        webrtc: connect by WebRTC where a direct connection is allowed; otherwise over TCP.
        prepares_s: seconds until the files are prepared; both sides wait for them.
        silent: report no telemetry, and ask the server to leave this transfer out of usage statistics.
        setting: a setting that was changed before.
    """

    scenario: Scenario
    size: int
    content: FileContent
    relay: bool = False
    turn: bool = False
    webrtc: bool = True
    prepares_s: float = 0.0
    silent: bool = False
    keep_metadata: bool = False
    setting: str | None = None

    @property
    def receivers(self) -> int:
        """For how many receivers the link is."""
        return len(RECEIVERS) if self.scenario == "several_receivers" else 1

    @property
    def expected_outcome(self) -> DemoOutcome:
        """The outcome that the scenario must have."""
        if self.scenario in CANCELLED:
            return "cancelled"
        if self.scenario in FAILED:
            return "failed"
        return "refused" if self.scenario == "broken_picture" else "success"

    @property
    def expected_others(self) -> tuple[DemoOutcome, ...]:
        """The outcomes of the receivers after the first one."""
        return RECEIVERS[1:] if self.scenario == "several_receivers" else ()


def draw_plans(
    shares: TrafficMix, settings: tuple[str, ...], chance: random.Random
) -> Iterator[TransferPlan]:
    """An endless series of plans: first each scenario that the mix allows, then random ones."""
    for kind, relay in _first_scenarios(shares):
        plan = _plan(kind, relay, shares, settings, chance)
        turn = relay and kind == "plain"
        yield replace(
            plan, setting=chance.choice(settings), silent=False, turn=turn, webrtc=kind not in OVER_TCP
        )
    while True:
        relay = chance.random() < shares.relay
        yield _plan(_kind(relay, shares, chance), relay, shares, settings, chance)


def _first_scenarios(shares: TrafficMix) -> list[tuple[Scenario, bool]]:
    opening: list[tuple[Scenario, bool]] = [("plain", False), ("signaling_lost", False)]
    if shares.relay:
        opening += [("plain", True), *((kind, True) for kind in RELAYED)]
    if shares.cancel:
        opening += [(kind, False) for kind in CANCELLED]
    if shares.bad:
        opening += [(kind, False) for kind in BAD]
    if shares.cancel:
        opening.append(("several_receivers", False))
    return opening


def _kind(relay: bool, shares: TrafficMix, chance: random.Random) -> Scenario:
    drawn = chance.random()
    if drawn < shares.cancel:
        return chance.choice(CANCELLED)
    if drawn < shares.cancel + shares.bad:
        return chance.choice(BAD)
    if relay and chance.random() < 0.4:
        return chance.choice(RELAYED)
    rare = chance.random()
    if rare < 0.05:
        return "signaling_lost"
    return "several_receivers" if shares.cancel and not relay and rare < 0.1 else "plain"


def _plan(
    kind: Scenario, relay: bool, shares: TrafficMix, settings: tuple[str, ...], chance: random.Random
) -> TransferPlan:
    least = SMALLEST if shares.smallest is None else shares.smallest / shares.size
    size = int(shares.size * least ** chance.random())  # log-uniform: small ones as often as large ones
    if kind in {*CANCELLED, "interrupted", "signaling_lost", "source_changes"}:
        size = max(size, MIN_INTERRUPTIBLE_BYTES)
    return TransferPlan(
        scenario=kind,
        size=size,
        content=chance.choice(CONTENTS),
        relay=relay,
        turn=relay and kind == "plain" and chance.random() < 0.5,
        prepares_s=chance.uniform(0.5, 4) if chance.random() < 0.15 else 0.0,
        silent=chance.random() < 0.05,
        # With its metadata a broken picture would be sent.
        keep_metadata=kind != "broken_picture" and chance.random() < 0.1,
        setting=chance.choice(settings) if chance.random() < 0.15 else None,
        webrtc=kind not in OVER_TCP or chance.random() < 0.5,
    )
