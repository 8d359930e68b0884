"""A finished sweep on a known mixture, as such runs look: the score moves from the population's to the memorizer's."""

from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.points import MetricInfo
from tauscope.specs import load_preset
from tests.frontend import fake_world as world

PRESET = load_preset("gmm").sweep
_STEPS = tuple(sorted({round(10 * 240 ** (k / 16)) for k in range(17)}))
_FLOORS = {"e_gen": 2.73, "e_mem": 2.0, "nearer_train": 0.48, "energy_distance": 0.0, "log_likelihood": -12.0, "kl": 0.01}


def learnt(identifier: str) -> ExperimentView:
    """Three finished runs, one for each n."""
    view = world.finished(identifier)
    return view.model_copy(update={"name": "gmm", "sweep": view.sweep | {"base": PRESET.base.model_dump(mode="json")}})


EXPERIMENTS = {"mixture": learnt}


def infos() -> dict[str, MetricInfo]:
    """The metrics of the preset."""
    return metric_infos(PRESET.base)


def curves(view: ExperimentView) -> Curves:
    """The curves of a mixture in place of the usual ones."""
    usual = world.curves_of(view)
    runs = {run.id: usual.runs[run.id] | _series(run.n_train or 16, run.step) for run in view.runs}
    return usual.model_copy(update={"metrics": usual.metrics | infos(), "runs": runs})


def _series(n: int, upto: int) -> dict[str, Series]:
    made = {}
    for name in infos():
        if not name.startswith(("loss", "f_mem", "gap", "nearest")):
            rows = [(step, *_about(_value(name, n, step))) for step in _STEPS if step <= upto]
            made[name] = world.series(rows)
    return made


def _about(value: float) -> tuple[float, float, float, int]:
    half = 0.02 + 0.04 * abs(value)
    return value, value - half, value + half, 1024


def _value(name: str, n: int, step: int) -> float:
    kind = name.partition("@")[0]
    copied = 1 / (1 + (12 * n / step) ** 1.4)
    if name.endswith("_train"):
        return 1.2 if "@" in name else 0.06
    if name.endswith("_floor"):
        return _FLOORS[kind.removesuffix("_floor")]
    wrong = 6 / (1 + step / 12)
    return {
        "alpha": 0.8 * copied,
        "alpha_ho": 0.4 * copied,
        "alpha_orthogonal": 0.25 + 0.3 * copied + 0.1 * wrong,
        "score_error": 0.03 + 0.6 * copied + 0.1 * wrong,
        "score_error_empirical": 0.2 + 0.6 * (1 - copied),
        "e_gen": 2.73 + wrong,
        "e_mem": 2.0 - 1.1 * copied + wrong,
        "nearer_train": 0.5 + 0.35 * copied,
    }.get(kind, _FLOORS.get(kind, 0.0) + wrong)
