"""The seeded plan: which faults, in which order, with which pauses. The same seed gives the same plan."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

GAP_SECONDS = (0.2, 1.5)


class Kind(StrEnum):
    """Everything that may go wrong."""

    KILL_WORKER = "kill -9 worker"
    KILL_CHILD = "kill -9 trainer child"
    KILL_API = "kill -9 API"
    KILL_RECONCILER = "kill -9 reconciler"
    KILL_BROKER = "kill -9 broker"
    KILL_SUPERVISOR = "kill -9 supervisor"
    KILL_POSTGRES = "kill -9 Postgres"
    FREEZE_WORKER = "freeze worker"
    FREEZE_CHILD = "freeze trainer child"
    FREEZE_API = "freeze API"
    FREEZE_RECONCILER = "freeze reconciler"
    FREEZE_BROKER = "freeze broker"
    FREEZE_SUPERVISOR = "freeze supervisor"
    FREEZE_POSTGRES = "freeze Postgres"
    FLUSH_BROKER = "FLUSHALL"
    LOSE_BROKER = "broker data lost"
    TRUNCATE = "checkpoint truncated"
    FLIP = "checkpoint byte flipped"
    STORE_ERROR = "artifact store errors"
    STORE_STALL = "artifact store stalls"
    DISK_FULL = "disk full"


@dataclass(frozen=True)
class Fault:
    """One fault, ``gap`` seconds after the service recovered from the one before."""

    kind: Kind
    gap: float


def draw_plan(seed: int, kinds: Sequence[Kind], count: int) -> list[Fault]:
    """``count`` faults in random order; no kind comes twice before every other has come once."""
    rng = random.Random(seed)
    drawn: list[Kind] = []
    while len(drawn) < count:
        drawn += rng.sample(list(kinds), len(kinds))
    return [Fault(kind, rng.uniform(*GAP_SECONDS)) for kind in drawn[:count]]
