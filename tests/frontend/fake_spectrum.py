"""A finished sweep that measures the error by band and component and both losses over noise levels, as such runs look."""

import math

from tauscope.analysis.metrics_info import alpha_bar
from tauscope.analysis.spectrum_infos import grid_infos, spectrum_infos
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.points import MetricInfo
from tauscope.specs import load_preset
from tests.frontend import fake_theory as theory
from tests.frontend import fake_world as world

SPEC = load_preset("digits-spectrum").sweep.base
PAIRS = 256
_STEPS = tuple(sorted({round(3 * 800 ** (k / 24)) for k in range(25)}))


def spectral(identifier: str) -> ExperimentView:
    """Three finished runs, one for each n."""
    view = world.finished(identifier)
    runs = tuple(run.model_copy(update={"final": run.final | theory.final()}) for run in view.runs)
    return view.model_copy(update={"name": "digits, spectrum", "runs": runs})


def waiting(identifier: str) -> ExperimentView:
    """They wait for a slot: nothing is measured yet."""
    return world.queued(identifier).model_copy(update={"name": "digits, spectrum waits"})


EXPERIMENTS = {"spectrum": spectral, "spectrum-waits": waiting}


def infos() -> dict[str, MetricInfo]:
    """The metrics of the preset."""
    made = [info for of in (spectrum_infos, grid_infos) for info in of(SPEC, lambda index: alpha_bar(SPEC.process, index))]
    return {info.name: info for info in made}


def curves(view: ExperimentView) -> Curves:
    """The usual curves, those of the spectrum, and what theory says."""
    usual = world.curves_of(view)
    runs = {
        run.id: found | _series(run.n_train or 16, run.step) | theory.series() for run in view.runs if (found := usual.runs.get(run.id))
    }
    return usual.model_copy(update={"metrics": usual.metrics | infos() | theory.infos(), "runs": runs})


def _series(n: int, upto: int) -> dict[str, Series]:
    steps = [step for step in _STEPS if step <= upto]
    made = {}
    for info in infos().values():
        rows = [(step, *_about(_value(info.name, n, step), info.name)) for step in steps]
        made[info.name] = world.series(rows)
    return made


def _about(value: float, name: str) -> tuple[float, float | None, float | None, int]:
    if "_linear@" in name:
        return value, None, None, 1000
    half = 0.04 if name.startswith("grid_gap") else 0.06 * value
    return value, value - half, value + half, PAIRS


def _value(name: str, n: int, step: int) -> float:
    kind, _, place = name.partition("@")
    if kind.startswith("grid"):
        noise = math.log10(int(place) + 1) / 3
        gap = 0.9 / (1 + (5 * n * 10 ** (1.5 * noise) / step) ** 1.4)
        held_out = (1.1 - 0.9 * noise) * (0.3 + 0.7 / (1 + (step / 15) ** 1.2)) * (1 + 0.6 * gap)
        return {"grid_gap": gap - 0.02, "grid_held_out": held_out, "grid_train": held_out * (1 - gap)}[kind]
    part = int(place.partition(":")[2])
    filtered = (0.12, 0.3, 0.55, 0.9)[min(part, 3)]
    if "_linear" in kind:
        return filtered
    if "_ratio" in kind:
        return _value(name.replace("ratio", "held_out"), n, step) / filtered
    fallen = filtered * (0.75 + 4 / (1 + (step / (4 + 5 * part)) ** 1.6))
    copied = world.f_mem(n, step)
    return fallen * (1 + 0.7 * copied) if "held_out" in kind else fallen * (1 - 0.8 * copied)
