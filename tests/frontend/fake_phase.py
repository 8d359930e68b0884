"""What the stand-in says of phases: the real analysis, on measured runs of a known truth, and on the runs of the other experiments."""

from functools import cache

import numpy as np

from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.phase import PhaseDiagram
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.summary import RunSummary
from tauscope.figures.source import points_of, series_of
from tests.frontend import fake_world as world
from tests.phase_runs import Truth, measured, spec_of

SIZES, WIDTHS = (8, 16, 32, 64, 128), (8, 16, 32)
_FLAT_FROM = {8: 64}
"""Width to the least n at which the model never copies, where there is one."""


@cache
def _runs() -> tuple[MeasuredRun, ...]:
    rng = np.random.default_rng(1)
    return tuple(measured(_truth(n, width), rng) for n in SIZES for width in WIDTHS)


def _truth(n: int, width: int) -> Truth:
    foretold = 0.9 * n**1.3 * 16 / width
    flat = n >= _FLAT_FROM.get(width, 1000)
    budget = foretold * (20 if flat else 0.3 if (n, width) == (128, 32) else 1.8)
    return Truth(n, width, tau_mem=None if flat else foretold, steps=int(budget) + 60, gap_error=0.005)


def phases(identifier: str) -> ExperimentView:
    """Finished runs at fifteen n and W: each state but undefined occurs."""
    return _experiment(identifier, RunState.FINISHED)


def phases_live(identifier: str) -> ExperimentView:
    """The same while the last cell computes."""
    return _experiment(identifier, RunState.RUNNING)


def _experiment(identifier: str, last: RunState) -> ExperimentView:
    runs = [_view(identifier, index, item, last) for index, item in enumerate(_runs())]
    return world.experiment_view(identifier, "digits, phases", tuple(runs), state=last)


def _view(identifier: str, index: int, item: MeasuredRun, last: RunState) -> RunView:
    n, width = item.spec.dataset.n_train, item.spec.network.base_width
    run = world.run_view(identifier, index, 64, step=item.steps, state=RunState.FINISHED if index + 1 < len(_runs()) else last)
    label = f"n_train={n}, width={width}"
    own = {"n_train": n, "width": width, "steps": item.spec.steps, "params": {"n_train": n, "width": width}, "label": label}
    return run.model_copy(update=own | {"onsets": item.summary.onsets, "final": item.summary.final})


def curves(experiment: ExperimentView) -> Curves:
    """What its runs measured."""
    runs = {run.id: series_of(item.points) for item, run in zip(_runs(), experiment.runs, strict=True)}
    return Curves(experiment_id=experiment.id, cursor="0", metrics=world.infos(), runs=runs)


def diagram(experiment: ExperimentView, curves: Curves) -> PhaseDiagram:
    """As the service makes it."""
    if experiment.id in EXPERIMENTS:
        known = [
            MeasuredRun(item.summary.model_copy(update={"id": run.id, "params": run.params, "state": run.state}), item.spec, item.points)
            for item, run in zip(_runs(), experiment.runs, strict=True)
        ]
        return phase_diagram(experiment.name, known)
    return phase_diagram(experiment.name, [_measured(run, curves) for run in experiment.runs])


def _measured(run: RunView, curves: Curves) -> MeasuredRun:
    spec = spec_of(Truth(run.n_train or 2, run.width or 16, steps=run.steps))
    summary = RunSummary(id=run.id, params=run.params, state=run.state, onsets=run.onsets, final=run.final, seconds=run.seconds)
    return MeasuredRun(summary, spec, points_of(curves.runs.get(run.id, {})))


EXPERIMENTS = {"phases": phases, "phases-live": phases_live}
