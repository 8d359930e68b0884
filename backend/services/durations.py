"""How long runs would take here: seconds for a unit of cost as earlier runs needed them, laid out on the slots there are."""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import quantiles
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from backend.storage.census import server_time, workers
from backend.storage.durations import PastRun, past_runs
from backend.storage.tables import Worker
from tauscope.contracts.launching import Estimate
from tauscope.specs import KINDS, ResolvedRun

HEARD_WITHIN = 30.0  # Seconds since its last heartbeat for which a worker's slots count.
_FACTOR_OF_ONE = 2.0  # A single earlier run tells nothing of its own spread.
_FACTOR_OF_OTHERS = 3.0  # Another network or image size moves the pace by so much.
_LEAST_FACTOR = 1.1


@dataclass(frozen=True)
class Pace:
    """Seconds for a unit of cost, and the factor within which most earlier runs were."""

    seconds: float
    factor: float
    runs: int
    source: str


class History:
    """What earlier runs took, read once for any number of sweeps."""

    def __init__(self, session: Session) -> None:
        self._past = {kind: [_as_known_now(run) for run in past_runs(session, kind)] for kind in KINDS}
        now = server_time(session)
        self._workers = [worker for worker in workers(session) if now - worker.seen_at < HEARD_WITHIN and not worker.draining]

    @property
    def slots(self) -> int:
        """How many runs are computed at once."""
        return sum(worker.slots for worker in self._workers)

    def estimate(self, runs: Sequence[ResolvedRun]) -> tuple[Estimate | None, str]:
        """The expected durations, or ``None`` with the reason."""
        if not self.slots:
            return None, "unknown: no worker was heard of lately; start one with `tauscope up`"
        paces = {run.index: self._pace(run.spec.model_dump(mode="json")) for run in runs}
        known = {index: pace for index, pace in paces.items() if pace is not None}
        if len(known) < len(runs):
            return None, "unknown: nothing of this kind was finished here yet"
        seconds = {run.index: run.spec.cost() * known[run.index].seconds for run in runs}
        lanes = schedule(seconds, self.slots)
        total = max(sum(seconds[index] for index in lane) for lane in lanes)
        widest = max(known.values(), key=lambda pace: pace.factor)
        return Estimate(
            seconds=total,
            low=total / widest.factor,
            high=total * widest.factor,
            runs=tuple(seconds[run.index] for run in runs),
            slots=lanes,
            past_runs=widest.runs,
            source=widest.source,
        ), ""

    def _pace(self, spec: dict[str, Any]) -> Pace | None:
        past = self._past.get(spec["kind"], [])
        hosts = {_host(worker) for worker in self._workers}
        here = [run for run in past if run.worker.rpartition("-")[0] in hosts]
        where = "on this machine" if here else "on other machines"
        similar = [run for run in here or past if _same_pace(run.spec, spec)]
        if similar and here:
            return _pace_of(similar, 1.0, f"{_counted(similar)} of this network and image size {where}")
        if here or past:
            chosen = similar or here or past
            alike = "of this network and image size" if similar else "of other networks, image sizes or computing"
            return _pace_of(chosen, _FACTOR_OF_OTHERS, f"{_counted(chosen)} {alike} {where}")
        return None


def _as_known_now(run: PastRun) -> PastRun:
    """The run with the fields that came after it at their defaults, and with the cost that it would be given now."""
    try:
        spec = KINDS[run.spec["kind"]].model_validate(run.spec)
    except ValidationError:
        return run  # Other code launched it.
    return run._replace(spec=spec.model_dump(mode="json"), cost=spec.cost())


def _pace_of(runs: Sequence[PastRun], factor: float, source: str) -> Pace:
    rates = [run.seconds / run.cost for run in runs]
    return Pace(_centre(rates), max(factor, _spread(rates), _LEAST_FACTOR), len(runs), source)


def _centre(rates: Sequence[float]) -> float:
    return math.exp(sum(math.log(rate) for rate in rates) / len(rates))


def _spread(rates: Sequence[float]) -> float:
    """The factor that 80 % of the runs stay within when each is foretold from the others."""
    if len(rates) == 1:
        return _FACTOR_OF_ONE
    misses = [abs(math.log(rate / _centre([*rates[:position], *rates[position + 1 :]]))) for position, rate in enumerate(rates)]
    return math.exp(max(misses) if len(misses) < 5 else quantiles(misses, n=5)[-1])


def schedule(seconds: dict[int, float], slots: int) -> tuple[tuple[int, ...], ...]:
    """Which runs each slot computes when the longest waiting one is always taken first, as workers do."""
    lanes: dict[int, list[int]] = defaultdict(list)
    ends = [0.0] * min(slots, len(seconds))
    for index in sorted(seconds, key=lambda index: -seconds[index]):
        lane = ends.index(min(ends))
        lanes[lane].append(index)
        ends[lane] += seconds[index]
    return tuple(tuple(lanes[lane]) for lane in sorted(lanes))


def _same_pace(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(_at(one, path) == _at(other, path) for path in KINDS[other["kind"]].PACE)


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document.get(part) if isinstance(document, dict) else None
    return document


def _host(worker: Worker) -> str:
    """A worker is called after its machine and its process."""
    return worker.name.rpartition("-")[0]


def _counted(runs: Sequence[PastRun]) -> str:
    return f"{len(runs)} earlier run" + ("" if len(runs) == 1 else "s")
