"""A store as large as a group's year: experiments with curves, onsets, forecasts, files and events, written as a worker writes them.

The numbers are drawn from closed forms that look like runs on 8x8 digits; nothing is trained, and no artifact has bytes.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.claims import Claim, claim_next, finish, release
from backend.storage.experiments import create_experiment
from backend.storage.flush import FileRecord, flush, write_summary
from backend.storage.forecasts import keep_forecast, set_forecast, write_trajectory
from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import find_markers, summarize_points
from tauscope.analysis.trajectories import domain_of, trajectory_of
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import OnsetStatus
from tauscope.contracts.points import Point
from tauscope.contracts.runs import RunState
from tauscope.metrics.intervals import Z95
from tauscope.specs import KINDS, ExperimentSpec, SweepSpec, load_preset

SIZES, SEEDS = (16, 24, 32, 48, 64, 96, 128, 192), (1, 2, 3, 4, 5)
RUNS_EACH = len(SIZES) * len(SEEDS)
_SEGMENTS = 2  # Claims of a run, each of which ends with a checkpoint.
_FORECASTS = 6
_LEASE_SECONDS = 1e9
_TRACEBACK = "Traceback (most recent call last):\n" + '  File "trainer.py", line 1, in advance\n' * 20 + "RuntimeError: out of memory"


@dataclass(frozen=True)
class Size:
    """How many experiments of 40 runs, how many measured steps a run; the newest experiment has ``long_steps`` instead.

    Of every experiment one run has failed and one has diverged; of the newest but one half of the runs are computing or wait.
    """

    experiments: int = 25
    steps: int = 60
    long_steps: int = 1000


def generate(sessions: sessionmaker[Session], size: Size) -> str:
    """Fill a store and return the id of the experiment with the long curves."""
    identifier = ""
    for place in range(size.experiments):
        live, long = place == size.experiments - 2, place == size.experiments - 1
        sweep = _sweep(place)
        created = create_experiment(sessions, sweep, sweep.resolve(), code_version="generated", request=None)
        identifier = created.experiment_id
        _compute(sessions, size.long_steps if long else size.steps, segments=RUNS_EACH * _SEGMENTS // (2 if live else 1))
    return identifier


def _sweep(place: int) -> SweepSpec:
    document = load_preset("digits-demo").sweep.model_dump(mode="json")
    settings = {"steps": 200_000, "optimizer": {"name": "adam", "lr": round(0.001 * (1 + place), 4)}}
    document |= {"name": f"sweep {place:03d}", "overrides": {}, "base": document["base"] | settings}
    return SweepSpec.model_validate(document | {"axes": {"n_train": SIZES, "seed": SEEDS}})


def _compute(sessions: sessionmaker[Session], n_steps: int, *, segments: int) -> None:
    """Claim and compute so many segments; with fewer than there are, the last one is left running."""
    for number in range(segments):
        with sessions.begin() as session:
            claim = claim_next(session, f"host-{number % 4}", _LEASE_SECONDS)
        assert claim is not None
        _segment(sessions, claim, n_steps, last=number == segments - 1)


def _segment(sessions: sessionmaker[Session], claim: Claim, n_steps: int, *, last: bool) -> None:
    spec = KINDS[claim.spec["kind"]].model_validate(claim.spec)
    steps = _steps(n_steps, spec.steps)
    begun = claim.checkpoint.step if claim.checkpoint else 0
    coming = [step for step in steps if step > begun][: math.ceil(n_steps / _SEGMENTS)]
    end = coming[-1]
    so_far = [point for point in measured(spec, steps) if point.step <= end]
    news = [point for point in so_far if point.step > begun]
    with sessions.begin() as session:
        flush(session, claim, points=news, files=_files(claim, coming), checkpoint=end, step=end, steps_per_second=20.0, seconds=end / 20)
        _summarize(session, claim, spec, so_far)
    fails = (spec.seed, spec.dataset.n_train) == (SEEDS[0], SIZES[0])
    with sessions.begin() as session:
        if end == steps[-1] and fails:
            finish(session, claim, RunState.FAILED, "batch_size 64 does not fit in the memory of cuda:0", detail=_TRACEBACK)
        elif end == steps[-1]:
            finish(session, claim, RunState.FINISHED)
        elif not last:
            release(session, claim, "segment ended")


def _summarize(session: Session, claim: Claim, spec: ExperimentSpec, points: list[Point]) -> None:
    """What ``worker.summaries`` records, with forecasts drawn about tau_mem in place of computed ones."""
    onsets, final = summarize_points(spec, points)
    write_summary(session, claim.run_id, onsets, final, find_markers(spec, points))
    write_trajectory(session, claim.run_id, domain_of(spec), trajectory_of(spec, points, onsets["tau_mem"]))
    step = max(point.step for point in points)
    made = [_forecast(spec, int(step * share)) for share in np.linspace(0.2, 1, _FORECASTS // _SEGMENTS)]
    for item in made:
        keep_forecast(session, claim.run_id, item)
    set_forecast(session, claim.run_id, None if onsets["tau_mem"].status is OnsetStatus.REACHED else made[-1])


def _forecast(spec: ExperimentSpec, step: int) -> Forecast:
    median = tau_mem_of(spec) * math.exp(_drawn(spec, step).normal(0, 0.2))
    ends = {"low_95": median / 2.2, "low": median / 1.6, "median": median, "high": median * 1.6, "high_95": median * 2.2}
    return Forecast(step=step, **ends, plain=median, n_pilots=4, exponent=1.3, gap_level=0.4, n_runs=200, n_configurations=20)


def _files(claim: Claim, steps: list[int]) -> list[FileRecord]:
    """Samples and a checkpoint at every tenth measured step and at the last; their digests are of nothing."""
    kept = sorted({*steps[::10], steps[-1]})
    paths = [(f"checkpoints/{step}.{kind}", kind, step) for step in kept for kind in ("weights", "state")]
    paths += [(f"samples/{step}.npz", "samples", step) for step in kept]
    return [FileRecord(path, hashlib.sha256(f"{claim.run_id}/{path}".encode()).hexdigest(), 700_000, *rest) for path, *rest in paths]


def _steps(count: int, budget: int) -> list[int]:
    """Even in log tau, the first late enough that no two are the same."""
    return np.unique(np.geomspace(200 if count > 100 else 5, budget, count).round().astype(int)).tolist()


def tau_mem_of(spec: ExperimentSpec) -> float:
    """When a generated run begins to copy: a law in n, with a spread between seeds."""
    return float(6.3 * spec.dataset.n_train**1.29 * math.exp(_drawn(spec, 0).normal(0, 0.15)))


def measured(spec: ExperimentSpec, steps: list[int]) -> list[Point]:
    """Every metric of the spec at every step; the last seed of the smallest n diverges, the values gone from there on."""
    tau, rng = np.array(steps, dtype=float), _drawn(spec, 1)
    diverges = spec.seed == SEEDS[-1] and spec.dataset.n_train == SIZES[0]
    lost = tau > 0.8 * spec.steps if diverges else np.zeros(len(tau), dtype=bool)
    return [point for name in metric_infos(spec) for point in _series(name, steps, lost, *_curve(name, tau, spec, rng))]


Column = np.ndarray[Any, np.dtype[np.float64]]


def _curve(name: str, tau: Column, spec: ExperimentSpec, rng: np.random.Generator) -> tuple[Column, Column, int]:
    """Values, half widths of their 95 % intervals, and the count they were measured on."""
    copying, quality = tau_mem_of(spec), 24.0
    if name in ("f_mem", "f_mem_control"):
        count = 1000 if name == "f_mem_control" else spec.measurement.n_generated
        share = np.full_like(tau, 0.001) if name == "f_mem_control" else 0.65 / (1 + (copying / tau) ** 3)
        value = rng.binomial(count, share) / count
        return value, Z95 * np.sqrt((value * (1 - value) + 1 / count) / count), count
    held_out = 0.4 + 0.6 / (1 + (tau / quality) ** 2) + 0.1 * np.log1p(tau / copying)
    train = held_out / (1 + 0.5 * (tau / copying) ** 0.7)
    level = {"loss_train": train, "loss_gap": 1 - train / held_out, "loss_held_out": held_out}.get(name.partition("@")[0], held_out * 10)
    return level * rng.normal(1, 0.01, len(tau)), 0.02 * level + 1e-3, spec.measurement.loss_pairs


def _series(name: str, steps: list[int], lost: np.ndarray[Any, Any], value: Column, half: Column, count: int) -> Iterator[Point]:
    low, high = (value - half).clip(0), value + half
    for place, step in enumerate(steps):
        if lost[place]:
            yield Point(step=step, metric=name, value=None, reason="diverged")
        else:
            yield Point(step=step, metric=name, value=float(value[place]), low=float(low[place]), high=float(high[place]), count=count)


def _drawn(spec: ExperimentSpec, purpose: int) -> np.random.Generator:
    return np.random.default_rng((spec.seed, spec.dataset.n_train, purpose))
