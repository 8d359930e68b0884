"""A campaign: launch the runs, carry out the plan, wait for the end, and keep count."""

import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from backend.storage.database import open_database, session_factory
from backend.storage.reading import reading
from backend.storage.tables import Attempt, Run
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.runs import TERMINAL_STATES
from tests.chaos.faults import Saboteur
from tests.chaos.judge import PRESET
from tests.chaos.plan import Fault, Kind
from tests.chaos.stacks import SLOTS, ClusterStack, EmbeddedStack

RECOVERY_SECONDS = 60.0
POLL_SECONDS = 0.1
# By run: its state, its epoch, its step, and the step at which the present attempt began.
Standing = dict[str, tuple[str, int, int, int]]


@dataclass
class Tally:
    """Seconds from the beginning of each fault until the service worked again, by kind."""

    seed: int
    experiments: int = 0
    recoveries: dict[Kind, list[float]] = field(default_factory=dict)
    skipped: dict[Kind, int] = field(default_factory=dict)
    lost_attempts: int = 0
    rewound_steps: int = 0
    unread_damage: int = 0
    seconds: float = 0.0

    @property
    def faults(self) -> int:
        return sum(len(times) for times in self.recoveries.values())

    def table(self, title: str) -> str:
        """The report."""
        times = [seconds for found in self.recoveries.values() for seconds in found]
        lines = [
            f"{title}, seed {self.seed}: {self.faults} faults in {self.seconds:.0f} s on {self.experiments} sweeps",
            "",
            "fault                     times  median s  worst s",
        ]
        rows = sorted(self.recoveries.items())
        lines += [f"{kind:<25} {len(found):>5}  {statistics.median(found):>8.1f}  {max(found):>7.1f}" for kind, found in rows if found]
        if times:
            lines += [f"{'all':<25} {len(times):>5}  {statistics.median(times):>8.1f}  {max(times):>7.1f}"]
        lines += ["", f"attempts lost or in trouble: {self.lost_attempts}; steps trained again: {self.rewound_steps}"]
        lines += [f"damaged files that no resume read (put back at the end): {self.unread_damage}"]
        lines += [f"not done for want of a victim: {kind} {count}" for kind, count in sorted(self.skipped.items())]
        return "\n".join(lines)


class Campaign:
    """One stack, its runs, and what is done to them."""

    def __init__(self, stack: EmbeddedStack | ClusterStack, seed: int) -> None:
        self.stack = stack
        self.tally = Tally(seed)
        self.saboteur = Saboteur(stack, seed)
        self._engine = open_database(stack.database_url)
        self.sessions = session_factory(self._engine)

    def attack(self, plan: Sequence[Fault], settings: dict[str, Any]) -> None:
        """Carry out faults one after another, each once the service recovered from the last; launch the runs, again when they are over."""
        self._launch(settings)
        for fault in plan:
            self._rest(fault.gap)
            if self.over:
                self._launch(settings)
            self._carry_out(fault)

    def _launch(self, settings: dict[str, Any]) -> None:
        with TauscopeClient(self.stack.url) as client:
            client.launch(ExperimentCreate(preset=PRESET, settings=settings))
        self.tally.experiments += 1
        self._wait(self._training, "the first run")

    def finish(self, seconds: float) -> None:
        """Wait until every run has ended."""
        self._wait(lambda: self.over, "the end of every run", seconds)

    def close(self) -> None:
        self._engine.dispose()

    def restore_unread(self, files: dict[Path, bytes]) -> None:
        """Put back damaged files that no resume had to read, because a newer checkpoint came first."""
        for path, whole in files.items():
            if path.exists() and path.read_bytes() != whole:
                self.tally.unread_damage += 1
                path.write_bytes(whole)

    @property
    def over(self) -> bool:
        """Whether every run has ended; False while the database cannot be asked."""
        with suppress(SQLAlchemyError), reading(self.sessions) as session:
            return all(state in TERMINAL_STATES for (state,) in session.query(Run.state).all())
        return False

    @property
    def outcomes(self) -> list[tuple[str, str, str]]:
        with reading(self.sessions) as session:
            return [(run.label, run.state, run.reason) for run in session.query(Run).all()]

    def _carry_out(self, fault: Fault) -> None:
        started = time.monotonic()
        if not self.saboteur.inject(fault.kind):
            self.tally.skipped[fault.kind] = self.tally.skipped.get(fault.kind, 0) + 1
            return
        self._engine.dispose()  # Connections of a killed server say so only when they are used.
        before: Standing = {}
        self._wait(lambda: before.update(self._standing()) or before, "an answer of the database", RECOVERY_SECONDS)
        self._wait(lambda: self._recovered(before), f"recovery from {fault.kind!r}", RECOVERY_SECONDS)
        self.tally.recoveries.setdefault(fault.kind, []).append(time.monotonic() - started)

    def _recovered(self, before: Standing) -> bool:
        """The API is ready, and as many runs as there are slots, or all that are left, have trained on or ended since."""
        if not self.stack.ready:
            return False
        now = self._standing()
        unfinished = sum(state not in TERMINAL_STATES for state, *_ in now.values())
        return bool(now) and sum(_went_on(before[run], now[run]) for run in before) >= min(SLOTS, unfinished)

    def _standing(self) -> Standing:
        """Where every run stands; nothing while the database cannot be asked."""
        with suppress(SQLAlchemyError), reading(self.sessions) as session:
            starts = select(Attempt.from_step).where(Attempt.run_id == Run.id, Attempt.epoch == Run.epoch).scalar_subquery()
            rows = session.execute(select(Run.id, Run.state, Run.epoch, Run.step, starts)).all()
            return {row[0]: (row[1], row[2], row[3], row[4] or 0) for row in rows}
        return {}

    def _training(self) -> bool:
        return any(state == "running" for state, *_ in self._standing().values())

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.stack.tend()
            time.sleep(min(POLL_SECONDS, seconds))

    def _wait(self, condition: Any, what: str, seconds: float = 60.0) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            self.stack.tend()
            assert time.monotonic() < deadline, f"{what} did not come in {seconds:.0f} s (seed {self.tally.seed}); {self.outcomes}"
            time.sleep(POLL_SECONDS)


def _went_on(before: tuple[str, int, int, int], now: tuple[str, int, int, int]) -> bool:
    """Whether a run has trained on since, under the same claim or a later one, or has ended."""
    if now[0] in TERMINAL_STATES:
        return before[0] not in TERMINAL_STATES
    return now[0] == "running" and now[2] > (before[2] if now[1] == before[1] else now[3])
