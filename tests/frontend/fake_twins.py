"""A run beside its twin: their agreement rises, is highest between both onsets, and falls; another pair still rises."""

import math

from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tests.frontend import fake_world as world

METRIC = "twin_cosine@300"
PEAK = 58
INFO = MetricInfo(
    name=METRIC,
    label="agreement with the twin at index 300 (alpha_bar 0.394)",
    unit="cosine: 1 alike, 0 nothing in common",
    role="agreement",
    definition="Mean cosine between the predictions of the run and of its twin.",
    index=300,
    alpha_bar=0.394,
)


def twins(identifier: str = "twins") -> ExperimentView:
    """n = 16 with its twin, n = 32 with one that has just begun, n = 64 with none."""
    runs = list(world.finished(identifier).runs)
    pairs = ((runs[0], 450, _found(PEAK, 36, 91)), (runs[1], 30, world.not_by(30, METRIC, 0.81, 24)))
    for place, (run, step, split) in enumerate(pairs):
        twin = world.run_view(identifier, 3 + place, run.n_train or 16, step=step, state=_state(step))
        params = {"n_train": run.n_train, "subset": 1, "seed": 5}
        twin = twin.model_copy(update={"params": params, "label": f"n_train={run.n_train}, subset=1, seed=5", "twin_id": run.id})
        runs[place] = _with_split(run, split).model_copy(update={"twin_id": twin.id})
        runs.append(_with_split(twin, split))
    return world.experiment_view(identifier, "digits, twins", tuple(runs), state=RunState.RUNNING)


def _state(step: int) -> RunState:
    return RunState.FINISHED if step == 450 else RunState.RUNNING


def _found(value: float, low: float, high: float) -> Onset:
    return world.reached(value, low, high, METRIC, 0.9)


def _with_split(run: RunView, split: Onset) -> RunView:
    words = {"reason": f"no fall by {split.low:,.0f}"} if split.value is None and split.low else {}
    return run.model_copy(update={"markers": run.markers | {"tau_split": split.model_copy(update=words)}})


def cosine(step: int) -> float:
    """Up to 0.9 at the peak, and down again, in log time."""
    return 0.9 - 0.09 * math.log(step / PEAK) ** 2


def curves(view: ExperimentView) -> Curves:
    """The usual curves, and the agreement of each pair up to where both have come."""
    usual = world.curves_of(view)
    by_id, runs = {run.id: run for run in view.runs}, {}
    for run in view.runs:
        twin = by_id.get(run.twin_id or "")
        last = min(run.step, twin.step) if twin else 0
        shared = [(step, cosine(step), cosine(step) - 0.006, cosine(step) + 0.006, 256) for step in world.SAMPLE_STEPS if step <= last]
        runs[run.id] = usual.runs.get(run.id, {}) | ({METRIC: world.series(shared)} if shared else {})
    return usual.model_copy(update={"runs": runs, "metrics": usual.metrics | {METRIC: INFO}})
