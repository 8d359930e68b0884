"""Looks after a stack and at it: one thread starts again what died, another asks again and again where every run stands."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.reading import reading
from backend.storage.tables import Attempt, Evaluation, Run
from tauscope.contracts.runs import TERMINAL_STATES

TEND_SECONDS = 0.1
LOOK_SECONDS = 0.2


class Standing(NamedTuple):
    """Where a run stands; ``start`` is the step at which its present attempt began."""

    state: str
    epoch: int
    step: int
    start: int

    def went_on_since(self, before: "Standing") -> bool:
        """Whether the run has trained on since, under the same claim or a later one, or has ended."""
        if self.state in TERMINAL_STATES:
            return before.state not in TERMINAL_STATES
        # Whether it computes at this moment does not matter: between two segments it waits, having trained on.
        return self.step > (before.step if self.epoch == before.epoch else self.start)


@dataclass(frozen=True)
class Look:
    """What was seen from ``begun`` on; no run is listed while the database cannot be asked."""

    begun: float = 0.0
    ready: bool = False
    runs: dict[str, Standing] = field(default_factory=dict)
    evaluations: int = 0

    @property
    def unfinished(self) -> int:
        return sum(run.state not in TERMINAL_STATES for run in self.runs.values())

    def few(self, runs: int) -> bool:
        """Whether fewer runs are left; while the database cannot be asked nobody knows."""
        return bool(self.runs) and self.unfinished < runs

    @property
    def over(self) -> bool:
        """Whether all there is to compute is computed."""
        return bool(self.runs) and not self.unfinished and not self.evaluations


class Tended(Protocol):
    """A stack, as far as it is looked after."""

    @property
    def ready(self) -> bool: ...

    def tend(self) -> None: ...


class Watch:
    """Two threads; they are two because a frozen database keeps whoever asks it waiting."""

    def __init__(self, stack: Tended, sessions: sessionmaker[Session]) -> None:
        self._stack, self._sessions = stack, sessions
        self._ended = threading.Event()
        self.latest = Look()
        self._threads = [
            threading.Thread(target=self._repeat, args=(stack.tend, TEND_SECONDS), name="tend"),
            threading.Thread(target=self._repeat, args=(self._look, LOOK_SECONDS), name="look"),
        ]

    def __enter__(self) -> "Watch":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def await_look(self, wanted: Callable[[Look], bool], what: str, seconds: float) -> Look:
        """The first look that is as wanted."""
        deadline = time.monotonic() + seconds
        while not wanted(look := self.latest):
            assert time.monotonic() < deadline, f"{what} did not come in {seconds:.0f} s; last seen: {look}"
            assert all(thread.is_alive() for thread in self._threads), "nobody looks after the stack any more"
            time.sleep(LOOK_SECONDS / 4)
        return look

    def _repeat(self, work: Callable[[], None], seconds: float) -> None:
        while not self._ended.wait(seconds):
            work()

    def _look(self) -> None:
        begun, ready = time.monotonic(), self._stack.ready
        with suppress(SQLAlchemyError), reading(self._sessions) as session:
            starts = select(Attempt.from_step).where(Attempt.run_id == Run.id, Attempt.epoch == Run.epoch).scalar_subquery()
            rows = session.execute(select(Run.id, Run.state, Run.epoch, Run.step, starts)).all()
            evaluations = session.scalars(select(func.count()).select_from(Evaluation)).one()
            runs = {row[0]: Standing(row[1], row[2], row[3], row[4] or 0) for row in rows}
            self.latest = Look(begun, ready, runs, evaluations)
            return
        self.latest = Look(begun, ready)
