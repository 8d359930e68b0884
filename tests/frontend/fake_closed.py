"""Finished sweeps of random features, their numbers from the closed form itself at tiny sizes, and a spectrum."""

import json
from functools import cache
from typing import Any

import numpy as np

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.scaling import fit_sweep
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.points import Point
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import mean_interval
from tauscope.specs import SweepSpec, parse_sweep
from tauscope.theory.rf_covariance import draw_exact, exact_covariances
from tauscope.theory.rf_dynamics import Losses, Solved
from tauscope.theory.rf_model import RandomFeatures
from tauscope.theory.rf_spectrum import Spectrum
from tests.frontend import fake_world as world

DRAWS = 3
_STEPS = tuple(sorted({round(10 ** (k / 6)) for k in range(25)}))
_BASE = {"psi_p": 4, "psi_n": 2, "d": 8, "t": 0.1, "u": "exact", "steps": _STEPS[-1], "draws": DRAWS}
_ONSETS = {"tau_gen": {"metric": "score_error", "level": 0.6}, "tau_mem": {"metric": "gap_share", "level": 0.5}}


@cache
def _sweep(name: str) -> SweepSpec:
    base: dict[str, Any] = {"kind": "random_features", **_BASE, "onsets": _ONSETS}
    axes: dict[str, Any] = {"psi_n": [1, 2, 4]}
    if name == "rf-map":
        axes["psi_p"] = [1, 2, 4]
    if name == "rf-curves":
        base["dynamics"] = {"name": "loop"}
    if name == "rf-spectrum":
        base, axes = {"kind": "rf_spectrum", "psi_p": 64, "psi_n": 8, "d": 100, "t": 0.01}, {}
    return parse_sweep({"name": name, "base": base, "axes": axes})


def made(identifier: str) -> ExperimentView:
    """A finished experiment over its runs, with the onsets and laws of its own points."""
    sweep = _sweep(identifier)
    usual = world.finished(identifier)
    runs, summaries = [], []
    for resolved in sweep.resolve():
        points = _points(identifier, resolved.index)
        onsets, final = summarize_points(resolved.spec, points)
        told = {"params": resolved.params, "onsets": onsets, "final": final}
        own = {"index": resolved.index, "label": resolved.label, "n_train": resolved.spec.n_train, "width": None, "batch_size": None}
        own |= {"id": f"{identifier}-{resolved.index}", "step": resolved.spec.steps, "steps": resolved.spec.steps, "markers": {}}
        runs.append(usual.runs[0].model_copy(update=told | own))
        summaries.append(RunSummary(id=runs[-1].id, state="finished", seconds=1.0, **told))
    document = json.loads(sweep.model_dump_json())
    return usual.model_copy(update={"name": identifier, "sweep": document, "runs": tuple(runs), "fits": fit_sweep(summaries)})


EXPERIMENTS = dict.fromkeys(("rf-curves", "rf-map", "rf-spectrum"), made)


def curves(view: ExperimentView) -> Curves:
    """Every series of every run."""
    sweep = _sweep(view.name)
    infos = {name: info for run in sweep.resolve() for name, info in metric_infos(run.spec).items()}
    usual = world.curves_of(world.finished("demo"))
    return usual.model_copy(update={"metrics": infos, "runs": {run.id: _series(_points(view.name, run.index)) for run in view.runs}})


def _series(points: tuple[Point, ...]) -> dict[str, Series]:
    found: dict[str, list[Any]] = {}
    for point in points:
        found.setdefault(point.metric, []).append((point.step, point.value, point.low, point.high, point.count))
    return {name: world.series(rows) for name, rows in found.items()}


@cache
def _points(name: str, index: int) -> tuple[Point, ...]:
    spec = _sweep(name).resolve()[index].spec
    return _spectral() if name == "rf-spectrum" else _solved(spec.model, loop=name == "rf-curves")  # type: ignore[attr-defined]


def _solved(model: RandomFeatures, *, loop: bool) -> tuple[Point, ...]:
    tau = np.array(_STEPS, dtype=float)
    solved = [Solved.of(model, exact_covariances(model, draw_exact(model, np.random.default_rng(seed)))) for seed in range(DRAWS)]
    losses, limits = [one.flow(tau) for one in solved], [one.limit() for one in solved]
    shares = [(a.test - a.train) / float((end.test - end.train)[0]) for a, end in zip(losses, limits, strict=True)]
    found = _told(losses, shares, "_theory" if loop else "", 1.0)
    if loop:
        found += _told(losses, shares, "", 1.02)
    modes = [one.contributions(one.flow_modes(tau))[1] for one in solved]
    groups = {
        "population": slice(-model.d, None),
        "points": slice(-max(model.n, model.d), -model.d),
        "rest": slice(0, -max(model.n, model.d)),
    }
    for group, chosen in groups.items():
        found += _mean(f"mode_test@{group}", [part[:, chosen].sum(1) for part in modes])
    if model.psi_p >= 1 + model.psi_n:
        found += _foretold(Spectrum.of(model))
    return tuple(found)


def _foretold(spectrum: Spectrum) -> list[Point]:
    """Bulks as the theory has them; their parts of the gap are made up."""
    found = []
    for place, bulk in enumerate(reversed(spectrum.bulks), 1):
        values = {"low": bulk.low, "median": bulk.median, "high": bulk.high, "mass": bulk.mass, "tau": spectrum.timescale(bulk.median)}
        found += [Point(step=1, metric=f"bulk_{name}@{place}", value=value) for name, value in values.items()]
        part = 0.1 if place < len(spectrum.bulks) else 1.1 - 0.1 * place
        found.append(Point(step=1, metric=f"bulk_gap@{place}", value=part, low=part - 0.02, high=part + 0.02, count=DRAWS))
    return found


def _told(losses: list[Losses], shares: list[np.ndarray], suffix: str, scale: float) -> list[Point]:
    values = {"score_error": [a.score for a in losses], "loss_held_out": [a.test for a in losses], "loss_train": [a.train for a in losses]}
    values |= {"loss_gap": [a.gap for a in losses], "gap_share": shares}
    return [point for name, found in values.items() for point in _mean(name + suffix, [scale * one for one in found])]


def _mean(name: str, values: list[np.ndarray]) -> list[Point]:
    rows = [mean_interval(np.array(column)) for column in zip(*values, strict=True)]
    return [Point(step=s, metric=name, value=v, low=lo, high=hi, count=DRAWS) for s, (v, lo, hi) in zip(_STEPS, rows, strict=True)]


def _spectral() -> tuple[Point, ...]:
    """As rf-spectrum gave it at psi_p = 64, psi_n = 8, a density of three bumps in place of the solved one."""
    values = {"atom": 0.001874, "mass_atom": 0.859375, "mass_continuous": 0.140625, "mass_expected": 0.140625}
    bulks = ((9.84, 22.5, 44.7, 0.015625, 71.8), (0.0913, 0.196, 0.359, 0.109375, 8263.0), (0.00368, 0.0055, 0.0102, 0.015625, 293784.0))
    for place, bulk in enumerate(bulks, 1):
        values |= {f"bulk_{name}@{place}": value for name, value in zip(("low", "median", "high", "mass", "tau"), bulk, strict=True)}
    points = [Point(step=1, metric=name, value=value) for name, value in values.items()]
    points.append(Point(step=1, metric="l1", value=0.0247, low=0.0205, high=0.0289, count=4))
    for k in range(-33, 21):
        low, high = 10 ** (k / 12), 10 ** ((k + 1) / 12)
        share = sum(m * max(0.0, np.log(min(high, top) / max(low, bottom))) / np.log(top / bottom) for bottom, _, top, m, _ in bulks)
        points.append(Point(step=1, metric=f"rho_theory@{k / 12:.3f}", value=float(share)))
        points.append(Point(step=1, metric=f"rho_sampled@{k / 12:.3f}", value=float(share) * (1 + 0.05 * (-1) ** k), count=3600))
    return tuple(points)
