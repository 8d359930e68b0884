"""Runs of a known truth for the phase diagram: true curves of quality, copying and loss gap, measured with noise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tauscope.analysis.interventions import AGAIN
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.points import Point
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import Z95, clopper_pearson
from tauscope.specs import ExperimentSpec, load_preset, parse_sweep

HELD_OUT = 1000
LOSS_ERROR = 0.005


@dataclass(frozen=True)
class Truth:
    """What is true of a run: ``tau_mem`` is where its f_mem passes 25 %, ``None`` if it never copies; ``tau_gen`` likewise of quality."""

    n: int
    width: int = 8
    tau_gen: float | None = 30.0
    tau_mem: float | None = None
    steps: int = 2000
    samples: int = 384
    checkpoints: int = 14
    seed: int = 1
    gap_error: float = 0.01
    copies_at_end: float = 0.0
    gap_at_end: float = 0.0
    state: str = "finished"
    params: dict[str, Any] = field(default_factory=dict)

    def f_mem(self, tau: float) -> float:
        """Three quarters in the end, and nothing long before tau_mem; without one, nothing but at the last checkpoint."""
        if self.tau_mem is None:
            return self.copies_at_end if tau == self.steps else 0.0
        return 0.75 / (1 + 2 * (self.tau_mem / tau) ** 4)

    def gap(self, tau: float) -> float:
        """Half open at a quarter of tau_mem, as on digits."""
        if self.tau_mem is None:
            return self.gap_at_end if tau == self.steps else 0.0
        return 0.9 / (1 + (self.tau_mem / (4 * tau)) ** 2)

    def loss(self, tau: float) -> float:
        """0.55, the level of the preset, at tau_gen."""
        return 0.8 if self.tau_gen is None else 0.45 + 0.1 * self.tau_gen / tau


def measured(truth: Truth, rng: np.random.Generator) -> MeasuredRun:
    """The run as it would be measured."""
    spec = spec_of(truth)
    points = list(points_of(truth, spec, rng))
    onsets, final = summarize_points(spec, points)
    params = {"n_train": truth.n, "width": truth.width, "seed": truth.seed, **truth.params}
    name = f"{truth.n}-{truth.width}-{truth.seed}"
    summary = RunSummary(id=name, params=params, state=truth.state, onsets=onsets, final=final, seconds=1.0)
    return MeasuredRun(summary, changed(spec, truth.params), points)


def changed(spec: ExperimentSpec, params: Mapping[str, Any]) -> ExperimentSpec:
    """The spec with what a sweep would have changed; a name that is no field, as of what was measured again, changes nothing."""
    own = {name: value for name, value in params.items() if name != AGAIN}
    base = spec.model_dump(mode="json")
    return parse_sweep({"name": "changed", "base": base, "further": [own]}).resolve()[-1].spec if own else spec


def spec_of(truth: Truth) -> ExperimentSpec:
    """The demo's spec at this n, width and budget."""
    document = load_preset("digits-demo").sweep.base.model_dump(mode="json")
    document["dataset"]["n_train"], document["network"]["base_width"] = truth.n, truth.width
    document["steps"], document["seed"] = truth.steps, truth.seed
    return type(load_preset("digits-demo").sweep.base).model_validate(document)


def points_of(truth: Truth, spec: ExperimentSpec, rng: np.random.Generator) -> Iterator[Point]:
    for tau in np.unique(np.geomspace(5, truth.steps, truth.checkpoints).round()).astype(int).tolist():
        copies = int(rng.binomial(truth.samples, truth.f_mem(tau)))
        yield Point(
            step=tau, metric="f_mem", value=copies / truth.samples, count=truth.samples, **_ends(*clopper_pearson(copies, truth.samples))
        )
        yield Point(step=tau, metric="f_mem_control", value=0.0, count=HELD_OUT, **_ends(*clopper_pearson(0, HELD_OUT)))
        for index in spec.measurement.loss_indices:
            yield _mean(tau, f"loss_gap@{index}", truth.gap(tau), truth.gap_error, rng)
        yield _mean(tau, spec.onsets.tau_gen.metric, truth.loss(tau), LOSS_ERROR, rng)


def _mean(step: int, metric: str, true: float, error: float, rng: np.random.Generator) -> Point:
    value = float(rng.normal(true, error))
    return Point(step=step, metric=metric, value=value, count=512, **_ends(value - Z95 * error, value + Z95 * error))


def _ends(low: float, high: float) -> dict[str, float]:
    return {"low": low, "high": high}
