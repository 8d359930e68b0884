"""The states of a run and its legal transitions."""

from enum import StrEnum

DEFAULT_QUEUE = "default"
QUEUE_PATTERN = r"^[a-z0-9][a-z0-9-]{0,39}$"


class RunState(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    STOPPED = "stopped"
    FAILED = "failed"


class DesiredState(StrEnum):
    """What its owner asked for; the worker obeys at its next flush."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"


TERMINAL_STATES = frozenset({RunState.FINISHED, RunState.STOPPED, RunState.FAILED})

TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.PAUSED, RunState.STOPPED, RunState.FAILED}),
    RunState.RUNNING: frozenset({RunState.QUEUED, RunState.PAUSED, RunState.FINISHED, RunState.STOPPED, RunState.FAILED}),
    RunState.PAUSED: frozenset({RunState.QUEUED, RunState.STOPPED}),
    RunState.FINISHED: frozenset(),
    RunState.STOPPED: frozenset(),
    RunState.FAILED: frozenset(),
}
