"""One-dimensional runs as they look: exact scores of sixteen and forty-eight points, and a learned one that goes from one to the other."""

import math
from functools import cache

from fastapi import FastAPI

from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.points import MetricInfo
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.scores import ExactScores, ScoreCurves
from tests.frontend import fake_world as world

T, MU, SIGMA = 0.02, 1.0, 0.5
SIZES = (16, 48)
BUDGET = 4000
STEPS = (10, 15, 24, 36, 60, 85, 150, 250, 400, 700, 1200, 2000, 4000)
X = tuple(round(-3.1 + 6.2 * place / 160, 5) for place in range(161))
_ALPHA_BAR = math.exp(-2 * T)


def one_dimensional(identifier: str, *, step: int = BUDGET) -> ExperimentView:
    """A run of each n."""
    state = RunState.FINISHED if step >= BUDGET else RunState.RUNNING if step else RunState.QUEUED
    runs = tuple(_run(identifier, place, n, step, state) for place, n in enumerate(SIZES))
    view = world.experiment_view(identifier, "score-1d", runs, state=state)
    base = {"kind": "score_1d", "dataset": {"name": "mixture", "n_train": 48}, "network": {"name": "mlp"}, "steps": BUDGET, "seed": 0}
    base |= {"measurement": {"schedule": {"kind": "listed", "at": list(STEPS)}}}
    base |= {"onsets": {"tau_gen": {"metric": "e_score", "level": 1.0}, "tau_mem": {"metric": "score_copied", "level": 0.5}}}
    sweep = {"name": "score-1d", "summary": "", "combine": "cross", "axes": {"n_train": list(SIZES)}, "base": base}
    return view.model_copy(update={"sweep": sweep})


def waiting(identifier: str) -> ExperimentView:
    """Nothing has begun."""
    return one_dimensional(identifier, step=0)


def under_way(identifier: str) -> ExperimentView:
    """In the middle of training."""
    return one_dimensional(identifier, step=300)


EXPERIMENTS = {"scores": one_dimensional, "scores-live": under_way, "scores-waiting": waiting}


def _run(experiment: str, place: int, n: int, step: int, state: RunState) -> RunView:
    run = world.run_view(experiment, place, 16, step=0, state=state)
    gen, mem = world.reached(90, 60, 150, "e_score", 1.0), world.reached(900, 700, 1200, "score_copied", 0.5)
    known = {
        "tau_gen": gen if step > 150 else world.not_by(step, "e_score", 1.0),
        "tau_mem": mem if step > 1200 else world.not_by(step, "score_copied", 0.5),
    }
    update = {"label": f"n_train={n}", "params": {"n_train": n}, "n_train": n, "step": step, "steps": BUDGET, "width": 64}
    return run.model_copy(update={**update, "onsets": known if step else {}})


def infos() -> dict[str, MetricInfo]:
    """What such a run measures."""
    made = [
        _info("e_score", "E_score", "quality", "Mean squared error of the learned score.", control="e_score_train", log=True),
        _info("e_score_train", "E_score of the training points' score", "control", "The same of the empirical score.", log=True),
        _info("e_score_linear", "E_score of the best linear score", "control", "The same of one Gaussian.", log=True),
        _info("score_to_training", "distance to the training points' score", "distance", "On noised training points.", log=True),
        _info("score_copied", "copied of the training points' score", "memorization", "A share of the distance."),
    ]
    return {info.name: info for info in made}


def _info(name: str, label: str, role: str, definition: str, *, control: str | None = None, log: bool = False) -> MetricInfo:
    given = {"name": name, "label": label, "unit": "", "role": role, "definition": definition, "control": control, "log_scale": log}
    return MetricInfo.model_validate(given)


@cache
def exact(n: int) -> ExactScores:
    """The exact curves of n points that lie as the quantiles of the mixture do."""
    points = tuple(sorted(sign * MU + SIGMA * math.sqrt(2) * _quantile((k + 0.5) / (n // 2)) for sign in (-1, 1) for k in range(n // 2)))
    delta, root = 1 - _ALPHA_BAR, math.sqrt(_ALPHA_BAR)
    variance = _ALPHA_BAR * SIGMA**2 + delta
    population = [_mixture(x, (-root * MU, root * MU), variance) for x in X]
    empirical = [_mixture(x, tuple(root * point for point in points), delta)[0] for x in X]
    return ExactScores(
        t=T,
        alpha_bar=_ALPHA_BAR,
        training=points,
        x=X,
        density=tuple(density for _, density in population),
        population=tuple(score for score, _ in population),
        empirical=tuple(empirical),
    )


def _quantile(share: float) -> float:
    """The inverse of erf at 2 share - 1, near enough for a picture (Winitzki 2008)."""
    y = 2 * share - 1
    logged, a = math.log(1 - y * y), 0.147
    first = 2 / (math.pi * a) + logged / 2
    return math.copysign(math.sqrt(math.sqrt(first**2 - logged / a) - first), y)


def _mixture(x: float, centres: tuple[float, ...], variance: float) -> tuple[float, float]:
    """Score and density of equal Gaussians."""
    weights = [math.exp(-((x - centre) ** 2) / (2 * variance)) for centre in centres]
    whole = max(sum(weights), 1e-300)
    mean = sum(weight * centre for weight, centre in zip(weights, centres, strict=True)) / whole
    return (mean - x) / variance, whole / len(centres) / math.sqrt(2 * math.pi * variance)


def known_steps(run: RunView) -> tuple[int, ...]:
    """The checkpoints that a run has come by."""
    return tuple(step for step in STEPS if step <= run.step)


def scores(run: RunView) -> ScoreCurves:
    """What the run has learnt: first nothing, then the population's score, then that of its points."""
    if not run.step:
        return ScoreCurves(run_id=run.id, exact=None)
    found = exact(run.n_train or 16)
    steps = known_steps(run)
    return ScoreCurves(run_id=run.id, exact=found, steps=steps, learned=tuple(_learned(found, step) for step in steps))


def _learned(found: ExactScores, step: int) -> tuple[float, ...]:
    good, copied = _good(step), _copied(step)
    return tuple(good * ((1 - copied) * pop + copied * emp) for pop, emp in zip(found.population, found.empirical, strict=True))


def _good(step: int) -> float:
    return 1 / (1 + (70 / step) ** 2)


def _copied(step: int) -> float:
    return 0.9 / (1 + (900 / step) ** 3)


def curves(view: ExperimentView) -> Curves:
    """E_score falls and rises again, what is copied rises."""
    runs = {run.id: _series(run) for run in view.runs if run.step}
    return Curves(experiment_id=view.id, cursor="0", metrics=infos(), runs=runs)


def _series(run: RunView) -> dict[str, Series]:
    steps, copier = known_steps(run), {16: 5.3, 48: 3.0}[run.n_train or 16]

    def of(values: list[float], count: int, spread: float = 0.08) -> Series:
        return world.series([(step, v, v - spread * abs(v), v + spread * abs(v), count) for step, v in zip(steps, values, strict=True)])

    errors = [2.05 * (1 - _good(step)) ** 2 + copier * _copied(step) ** 2 + 0.2 for step in steps]
    return {
        "e_score": of(errors, 4096),
        "e_score_train": of([copier] * len(steps), 4096),
        "e_score_linear": of([1.24] * len(steps), 4096),
        "score_to_training": of([4 * (1 - _copied(step)) for step in steps], 4096),
        "score_copied": of([_copied(step) for step in steps], 4096),
    }


def add_scores(app: FastAPI) -> None:
    """The routes of the scores."""

    @app.get("/api/v1/runs/{run_id}/scores")
    def of_run(run_id: str) -> ScoreCurves:
        identifier, _, index = run_id.rpartition("r")
        return scores(EXPERIMENTS[identifier](identifier).runs[int(index)])
