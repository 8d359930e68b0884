"""An experiment whose copying is foretold, the forecasts of its runs, and how many forecasts turned out; all made up."""

import math
import random

from tauscope.analysis.forecast_score import score, verdict
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.forecasts import Forecast, ForecastCalibration, KeptForecast, RunForecasts, ScoredForecast, Verdict
from tauscope.contracts.onsets import Onset
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES
from tests.frontend import fake_world as world

STEP = 500
NONE = Forecast(
    step=5,
    median=None,
    low=None,
    high=None,
    low_95=None,
    high_95=None,
    reason="no earlier run of this data set has copied by this definition yet",
)


def forecast(median: float, *, step: int = STEP, spread: float = 0.15, level: float | None = 0.5) -> Forecast:
    """A forecast with 3 pilots and the given spread of log tau."""
    ends = {"low_95": -1.96, "low": -1.28, "median": 0.0, "high": 1.28, "high_95": 1.96}
    numbers = {name: median * math.exp(z * spread) for name, z in ends.items()}
    counts = {"n_pilots": 3, "n_runs": 41, "n_configurations": 6}
    return Forecast(step=step, **numbers, bound=min(step, numbers["low_95"]), plain=0.8 * median, exponent=1.28, gap_level=level, **counts)


def foretold(identifier: str = "foretold") -> ExperimentView:
    """The live experiment at step 500: two of three runs have copied, the third is foretold."""
    view = world.live(identifier, step=STEP)
    runs = tuple(
        run.model_copy(update={"forecast": forecast({32: 700.0, 64: 1060.0}[run.n_train])}) if run.n_train in (32, 64) else run
        for run in view.runs
    )
    return view.model_copy(update={"runs": runs})


def of_run(run: RunView) -> RunForecasts:
    """Three forecasts of a run, the first without evidence."""
    outcome = run.onsets.get("tau_mem")
    made = [NONE, forecast(1300, step=40, spread=0.4, level=None), forecast(1060, step=300)]
    return RunForecasts(
        run_id=run.id,
        outcome=outcome,
        ended=run.state in TERMINAL_STATES,
        forecasts=tuple(_kept(item, outcome, place) for place, item in enumerate(made)),
    )


def _kept(made: Forecast, outcome: Onset | None, place: int) -> KeptForecast:
    kept = KeptForecast(**made.model_dump(), made_at=world.T0 + 60 * place, verdict=Verdict.OPEN)
    return kept.model_copy(update={"verdict": verdict(made, outcome)})


def calibration(runs: int = 60) -> ForecastCalibration:
    """So many runs with an outcome, one that ended beyond its forecast, and one whose forecast is open."""
    drawn = random.Random(1)
    first, last = [], []
    for index in range(runs):
        tau = 80 * (1 + index % 5) ** 1.3
        outcome = world.reached(tau, tau * 0.9, tau * 1.12, "f_mem", 0.25)
        first.append(_scored(forecast(tau * math.exp(drawn.gauss(0, 0.3)), step=10, spread=0.3), outcome, index))
        last.append(_scored(forecast(tau * math.exp(drawn.gauss(0, 0.12)), step=50, spread=0.12), outcome, index))
    for made in (first, last):
        made.append(_scored(forecast(200.0, step=30), world.not_by(400, "f_mem", 0.25), runs))
        made.append(_scored(forecast(900.0, step=30), world.not_by(400, "f_mem", 0.25), runs + 1))
    return ForecastCalibration(version=1, first=score(first), last=score(last))


def _scored(made: Forecast, outcome: Onset, index: int) -> ScoredForecast:
    identity = {"run_id": f"r{index}", "experiment_id": "e", "label": "", "n_train": 8 * (1 + index % 5), "configuration": f"c{index % 6}"}
    return ScoredForecast(**identity, forecast=_kept(made, outcome, index), outcome=outcome)
