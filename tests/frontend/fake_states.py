"""Synthetic experiments in rarer states: paused under way, one point, diverged, a hundred thousand points."""

import math
from functools import cache

from tauscope.analysis.thinning import thinned
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.runs import RunState
from tauscope.contracts.stopping import Verdict
from tests.frontend import fake_world as world

LONG_POINTS = 100_000
_DIVERGED_FROM = 266


def paused(identifier: str) -> ExperimentView:
    """Its owner let it rest; the smallest n had finished."""
    return world.paused(world.live(identifier, step=700)).model_copy(update={"name": "digits, resting"})


def one_point(identifier: str) -> ExperimentView:
    """The first measurement of the first run has just arrived."""
    runs = tuple(
        world.run_view(identifier, index, n, step=5 if index == 0 else 0, state=RunState.RUNNING if index == 0 else RunState.QUEUED)
        for index, n in enumerate(world.BUDGETS)
    )
    return world.experiment_view(identifier, "digits, just begun", runs, state=RunState.RUNNING)


def diverged(identifier: str) -> ExperimentView:
    """The training of one n left the numbers: its samples are not finite from there on, and at the end neither is its loss."""
    reason = "The loss is not a number at τ = 640. Lower optimizer.lr; the curves up to here are kept."
    sound = world.run_view(identifier, 0, 16, step=450, state=RunState.FINISHED)
    lost = world.run_view(identifier, 1, 32, step=640, state=RunState.FAILED, reason=reason)
    lost = lost.model_copy(update={"onsets": world.onsets(32, _DIVERGED_FROM), "final": world.final(32, 178)})
    return world.experiment_view(identifier, "digits, diverged", (sound, lost), state=RunState.FAILED)


def stopped_by_policy(identifier: str) -> ExperimentView:
    """The policy of one n stopped it once it copied beyond doubt; the other took all its steps."""
    reason = (
        "stopped by its policy at 266: f_mem 55 of 384 (11 to 18 %), control 1 of 1,000 (0.0 to 0.6 %);"
        " beyond the control by more than 1.0 % at 95 % at 2 checkpoints in a row"
    )
    stopped = world.run_view(identifier, 0, 16, step=281, state=RunState.STOPPED, reason=reason)
    stopped = stopped.model_copy(update={"verdict": Verdict(policy="copying", step=266, reason=reason)})
    whole = world.run_view(identifier, 1, 32, step=1100, state=RunState.FINISHED)
    return world.experiment_view(identifier, "digits, stopped by policy", (stopped, whole), state=RunState.STOPPED)


def broken_off(view: ExperimentView, curves: Curves) -> Curves:
    """Curves as they are, but of a run that diverged without values from there on."""
    if view.id != "diverged":
        return curves
    return curves.model_copy(update={"runs": {run: _lost(item) if run == "divergedr1" else item for run, item in curves.runs.items()}})


def _lost(series: dict[str, Series]) -> dict[str, Series]:
    made = {}
    for name, item in series.items():
        rows = zip(item.step, item.value, item.low, item.high, item.count, strict=True)
        made[name] = world.series([row if row[0] < _DIVERGED_FROM else (row[0], None, None, None, row[4]) for row in rows])
    return made


def long(identifier: str) -> ExperimentView:
    """One run of a hundred thousand steps, measured at each."""
    run = world.run_view(identifier, 0, 64, step=LONG_POINTS, state=RunState.RUNNING)
    run = run.model_copy(update={"steps": 2 * LONG_POINTS, "steps_per_second": 410.0, "seconds": LONG_POINTS / 410})
    return world.experiment_view(identifier, "digits, very long", (run,), state=RunState.RUNNING)


@cache
def long_curves(identifier: str, max_points: int | None) -> Curves:
    """Every step of it as the service would bound it: noisy early, smooth late."""
    steps = range(1, LONG_POINTS + 1)
    copied = [(step, share := world.f_mem(64, step), *world.clopper(share), world.N_GENERATED) for step in steps]
    loss = [(step, value := _noisy_loss(step), value * 0.97, value * 1.03, 512) for step in steps]
    floor = [(step, 0.001, 0.0, 0.0055, 1000) for step in steps]
    made = {"f_mem": world.series(copied), "f_mem_control": world.series(floor), "loss_held_out@100": world.series(loss)}
    bounded = {name: _bounded(item, max_points) for name, item in made.items()}
    return Curves(experiment_id=identifier, cursor=str(LONG_POINTS), metrics=world.infos(), runs={f"{identifier}r0": bounded})


def _noisy_loss(step: int) -> float:
    return world.held_out_loss(64, step) * (1 + 0.06 * math.sin(step * 12.9898) * math.cos(step * 78.233))


def _bounded(item: Series, max_points: int | None) -> Series:
    columns = {name: list(column) for name, column in item.model_dump().items()}
    return Series.model_validate(thinned(columns, max_points))
