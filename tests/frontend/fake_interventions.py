"""A finished sweep over interventions, three seeds each, and its plain runs measured again: the real analysis on runs of a known truth."""

from functools import cache
from typing import Any

import numpy as np

from tauscope.analysis.interventions import AGAIN, interventions
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.runs import RunState
from tests.frontend import fake_world as world
from tests.phase_runs import Truth, measured

_TRAINED: tuple[tuple[dict[str, Any], float], ...] = (
    ({}, 225),
    ({"process.first_trained_index": 5}, 205),
    ({"process": {"name": "cosine"}}, 143),
    ({"process": {"name": "log_snr"}}, 240),
    ({"network.fourier": {"count": 16, "scale": 1.0}}, 190),
    ({"penalty": {"cutoff": 3.0, "edge": 1.0, "weight": 3.0}}, 380),
    ({"optimizer.weight_decay": 0.5}, 260),
    ({"network.dropout": 0.2}, 310),
)
_AGAIN = ("filter", "projection on held-out images", "projection on step 118")


@cache
def _runs() -> tuple[MeasuredRun, ...]:
    return tuple(_run(seed, params, tau_mem) for params, tau_mem in _TRAINED for seed in (1, 2, 3))


def _run(seed: int, params: dict[str, Any], tau_mem: float | None) -> MeasuredRun:
    found = measured(
        Truth(16, tau_mem=tau_mem, steps=450, samples=256, seed=seed, params=params), np.random.default_rng([seed, int(tau_mem or 0)])
    )
    return MeasuredRun(found.summary.model_copy(update={"params": {"seed": seed, **params}}), found.spec, found.points)


def moved(identifier: str) -> ExperimentView:
    """Every run of the sweep, all finished."""
    runs = [
        world.run_view(identifier, index, 16, step=450, state=RunState.FINISHED).model_copy(
            update={"params": item.summary.params, "onsets": item.summary.onsets, "final": item.summary.final}
        )
        for index, item in enumerate(_runs())
    ]
    return world.experiment_view(identifier, "digits-interventions", tuple(runs), state=RunState.FINISHED)


def compared(experiment: ExperimentView) -> Interventions:
    """As the service makes it; of any other experiment nothing is known."""
    if experiment.id not in EXPERIMENTS:
        return Interventions(experiment=experiment.name, at=0, settings=(), missing="a run has no f_mem yet")
    again = [_run(seed, {AGAIN: name}, None) for name in _AGAIN for seed in (1, 2, 3)]
    return interventions(experiment.name, [*_runs(), *again])


EXPERIMENTS = {"interventions": moved}
