"""A campaign: launch the runs, carry out the plan, wait for the end, and keep count."""

import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

from backend.storage.database import open_database, session_factory
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tests.chaos.cluster import ClusterStack
from tests.chaos.embedded import EmbeddedStack
from tests.chaos.faults import Saboteur
from tests.chaos.plan import Fault, victims
from tests.chaos.stacks import SLOTS
from tests.chaos.tally import Tally
from tests.chaos.watch import Look, Watch
from tests.tiny import PRESET

RECOVERY_SECONDS = 90.0
VICTIM_SECONDS = 30.0
# Faults under way at once, counted until the service recovered from them; two never share a victim.
OVERLAP = 3
# With fewer runs left than this, faults would find nothing to hurt: another sweep is launched.
ENOUGH_RUNS = 2 * SLOTS


class Campaign:
    """One stack, its runs, and what is done to them."""

    def __init__(self, stack: EmbeddedStack | ClusterStack, seed: int) -> None:
        self.stack = stack
        self.tally = Tally(seed)
        self.saboteur = Saboteur(stack)
        self._engine = open_database(stack.database_url)
        self.sessions = session_factory(self._engine)
        self._watch = Watch(stack, self.sessions)
        self._under_way: dict[Future[None], Fault] = {}

    def carry_out(self, plan: Sequence[Fault], settings: dict[str, Any], *, patience: float) -> None:
        """Launch runs, again when few are left, attack them until the plan is through, and wait ``patience`` seconds for their end."""
        with self._watch, ThreadPoolExecutor(OVERLAP) as pool:
            self._launch(settings)
            for fault in plan:
                time.sleep(fault.gap)
                self._make_room(fault)
                if self._watch.latest.few(ENOUGH_RUNS):
                    self._end_all()
                    self._launch(settings)
                self._under_way[pool.submit(self._attack, fault)] = fault
            self._end_all()
            self._watch.await_look(lambda look: look.over, "the end of every run", patience)

    def close(self) -> None:
        self._engine.dispose()

    def restore_unread(self, files: dict[Path, bytes]) -> None:
        """Put back damaged files that no resume had to read, because a newer checkpoint came first."""
        for path, whole in files.items():
            if path.exists() and path.read_bytes() != whole:
                self.tally.unread_damage += 1
                path.write_bytes(whole)

    @property
    def outcomes(self) -> list[tuple[str, str, str]]:
        with reading(self.sessions) as session:
            return [(run.label, run.state, run.reason) for run in session.query(Run).all()]

    def _launch(self, settings: dict[str, Any]) -> None:
        known = set(self._watch.latest.runs)
        with TauscopeClient(self.stack.url) as client:
            client.launch(ExperimentCreate(preset=PRESET, settings=settings))
        self.tally.experiments += 1

        def trains(look: Look) -> bool:
            return any(run.state == "running" for name, run in look.runs.items() if name not in known)

        self._watch.await_look(trains, "the first run", RECOVERY_SECONDS)

    def _make_room(self, fault: Fault) -> None:
        """Wait until nothing under way has a victim in common with the fault, and not too much is under way."""
        self._collect()
        while len(self._under_way) >= OVERLAP or any(victims(fault.kind) & victims(other.kind) for other in self._under_way.values()):
            wait(self._under_way, return_when=FIRST_COMPLETED)
            self._collect()

    def _end_all(self) -> None:
        wait(self._under_way)
        self._collect()

    def _collect(self) -> None:
        """Forget the faults that are over; raises what one of them raised."""
        for done in [future for future in self._under_way if future.done()]:
            del self._under_way[done]
            done.result()

    def _attack(self, fault: Fault) -> None:
        started = self._inject(fault)
        if started is None:
            self.tally.skipped[fault.kind] = self.tally.skipped.get(fault.kind, 0) + 1
            return
        over = time.monotonic()
        what = f"recovery from {fault.kind!r} (seed {self.tally.seed})"
        before = self._watch.await_look(lambda look: look.begun > over and bool(look.runs), what, RECOVERY_SECONDS)
        self._watch.await_look(lambda look: _recovered(before, look), what, RECOVERY_SECONDS)
        self.tally.recoveries.setdefault(fault.kind, []).append(time.monotonic() - started)

    def _inject(self, fault: Fault) -> float | None:
        """Carry the fault out as soon as there is a victim, and return when it began; ``None`` if none came."""
        patience = time.monotonic() + VICTIM_SECONDS
        while (started := time.monotonic()) < patience:
            if self.saboteur.inject(fault):
                return started
            time.sleep(0.2)
        return None


def _recovered(before: Look, now: Look) -> bool:
    """The API is ready, and as many runs as there are slots, or all that are left, have trained on or ended since."""
    if not now.ready or not now.runs:
        return False
    return sum(now.runs[run].went_on_since(before.runs[run]) for run in before.runs) >= min(SLOTS, now.unfinished)
