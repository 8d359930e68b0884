"""The forecasts of a run beside what happened, and how all forecasts turned out."""

import itertools

from sqlalchemy.orm import Session, sessionmaker

from backend.services.context import Context
from backend.services.experiments import required_run
from backend.storage.forecasts import forecasts_to_judge, run_forecasts
from backend.storage.reading import reading
from backend.storage.tables import Forecast, Run
from tauscope.analysis.forecast_score import score, verdict
from tauscope.contracts.forecasts import FORECAST_VERSION, ForecastCalibration, KeptForecast, RunForecasts, ScoredForecast
from tauscope.contracts.onsets import Onset
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tauscope.specs.stored import n_train_of


def of_run(context: Context, run_id: str) -> RunForecasts:
    """Every kept forecast of a run, each with its verdict by what is known now."""
    with reading(context.sessions) as session:
        run = required_run(session, run_id)
        rows = run_forecasts(session, run_id)
    outcome = _outcome(run)
    ended = RunState(run.state) in TERMINAL_STATES
    return RunForecasts(run_id=run_id, outcome=outcome, ended=ended, forecasts=tuple(_kept(row, outcome) for row in rows))


def calibration(context: Context) -> ForecastCalibration:
    """How the forecasts of the present method turned out, over all runs in the store."""
    return judged(context.sessions)


def judged(sessions: sessionmaker[Session]) -> ForecastCalibration:
    """The same for a store without a service around it."""
    with reading(sessions) as session:
        rows = forecasts_to_judge(session, FORECAST_VERSION)
    by_run = [[_scored(*row) for row in group] for _, group in itertools.groupby(rows, key=lambda row: row[0].run_id)]
    return ForecastCalibration(
        version=FORECAST_VERSION,
        first=score([made[0] for made in by_run]),
        last=score([made[-1] for made in by_run]),
    )


def _scored(row: Forecast, run: Run, configuration: str) -> ScoredForecast:
    outcome = _outcome(run)
    assert outcome is not None, "a forecast is written after the onset"
    return ScoredForecast(
        run_id=run.id,
        experiment_id=run.experiment_id,
        label=run.label,
        n_train=n_train_of(run.spec) or 0,
        configuration=configuration,
        forecast=_kept(row, outcome),
        outcome=outcome,
    )


def _outcome(run: Run) -> Onset | None:
    return Onset.model_validate(run.onsets["tau_mem"]) if "tau_mem" in run.onsets else None


def _kept(row: Forecast, outcome: Onset | None) -> KeptForecast:
    made = KeptForecast.model_validate({**row.document, "made_at": row.made_at, "verdict": "open"})
    return made.model_copy(update={"verdict": verdict(made, outcome)})
