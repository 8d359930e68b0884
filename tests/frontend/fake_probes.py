"""What the stand-in says of early warnings: calibrated by the real analysis, on made-up past runs of other sizes."""

from functools import cache

import numpy as np

from tauscope.analysis.onsets import Curve
from tauscope.analysis.warnings import PastRun, Pool, calibrate, warn
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.points import Point
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.warnings import ExperimentWarnings
from tests.frontend import fake_world as world

GAP = "loss_gap@100"
WARNED = ("demo", "warned")
"""The experiments whose data set has past runs enough."""


def warned(identifier: str) -> ExperimentView:
    """It computes at τ = 700: 64 images passed the level and do not copy yet."""
    return world.live(identifier, step=700)


def warnings(experiment: ExperimentView, curves: Curves, *, calibrated: bool) -> ExperimentWarnings:
    """Every run's warning by the loss gap, at a level from nine runs of three other sizes, or from two that are too few."""
    pool = _pool(9 if calibrated else 2)
    found = []
    for run in experiment.runs:
        series = curves.runs.get(run.id, {}).get(GAP)
        if series is None:
            continue
        curve = Curve.of_columns(series.model_dump(), share=False)
        ended = float(run.step) if run.state in TERMINAL_STATES else None
        found.append(warn(run.id, curve, configuration=f"n = {run.n_train}", pool=pool, tau_mem=run.onsets.get("tau_mem"), ended_at=ended))
    infos = {GAP: world.infos()[GAP]}
    return ExperimentWarnings(
        experiment_id=experiment.id, metrics=infos, warnings=tuple(found), calibrations=(calibrate(pool),) if found else ()
    )


@cache
def _pool(count: int) -> Pool:
    rng = np.random.default_rng(0)
    runs = tuple(_past((12, 24, 48)[k % 3], float(np.exp(0.1 * rng.normal()))) for k in range(count))
    return Pool("digits", 8, 0.25, GAP, runs)


def _past(n: int, luck: float) -> PastRun:
    steps = np.geomspace(5, 2400, 40).round()
    gaps = [world.loss_gap(n * luck, int(step)) for step in steps]
    points = [
        Point(step=int(step), metric=GAP, value=v, low=v - 0.015, high=v + 0.015, count=512) for step, v in zip(steps, gaps, strict=True)
    ]
    mem = 15.0 * n**1.05
    return PastRun(
        f"n = {n}",
        {GAP: Curve.of(points, GAP, share=False)},
        world.reached(mem, mem * 0.94, mem * 1.07, "f_mem", 0.25),
        2400.0,
    )
