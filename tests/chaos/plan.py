"""The seeded plan: which faults, in which order, with which pauses. The same seed gives the same plan."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

GAP_SECONDS = (0.1, 0.8)


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
    POSTGRES_DISK_FULL = "disk full under Postgres"
    CONNECTIONS = "database connections held"
    HOST_CLOCK = "host clocks stepped"
    DATABASE_CLOCK = "database clock stepped"


_EVERYTHING = frozenset({"worker", "API", "reconciler", "broker", "database", "store", "disk", "clock"})
_VICTIMS = {
    "worker": (Kind.KILL_WORKER, Kind.KILL_CHILD, Kind.FREEZE_WORKER, Kind.FREEZE_CHILD, Kind.TRUNCATE, Kind.FLIP),
    "API": (Kind.KILL_API, Kind.FREEZE_API),
    "reconciler": (Kind.KILL_RECONCILER, Kind.FREEZE_RECONCILER),
    "broker": (Kind.KILL_BROKER, Kind.FREEZE_BROKER, Kind.FLUSH_BROKER, Kind.LOSE_BROKER),
    # To find the newest checkpoint, the database is asked; and SQLite's file lies on the disk that is filled.
    "database": (
        *(Kind.KILL_POSTGRES, Kind.FREEZE_POSTGRES, Kind.POSTGRES_DISK_FULL, Kind.CONNECTIONS, Kind.DATABASE_CLOCK),
        *(Kind.TRUNCATE, Kind.FLIP, Kind.DISK_FULL),
    ),
    "store": (Kind.STORE_ERROR, Kind.STORE_STALL, Kind.DISK_FULL),
    "disk": (Kind.DISK_FULL, Kind.TRUNCATE, Kind.FLIP),
    "clock": (Kind.HOST_CLOCK,),
}


def victims(kind: Kind) -> frozenset[str]:
    """What a fault hits. Faults that share nothing may overlap; with the supervisor everything falls."""
    if kind in {Kind.KILL_SUPERVISOR, Kind.FREEZE_SUPERVISOR}:
        return _EVERYTHING
    return frozenset(victim for victim, kinds in _VICTIMS.items() if kind in kinds)


@dataclass(frozen=True)
class Fault:
    """One fault, begun ``gap`` seconds after the one before at the earliest; ``seed`` is for its own choices."""

    kind: Kind
    gap: float
    seed: int


def draw_plan(seed: int, kinds: Sequence[Kind], count: int) -> list[Fault]:
    """``count`` faults in random order; no kind comes twice before every other has come once."""
    rng = random.Random(seed)
    drawn: list[Kind] = []
    while len(drawn) < count:
        drawn += rng.sample(list(kinds), len(kinds))
    return [Fault(kind, rng.uniform(*GAP_SECONDS), rng.getrandbits(32)) for kind in drawn[:count]]
