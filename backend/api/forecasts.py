"""Forecasts of tau_mem: those of a run with their outcome, and how all of them turned out."""

from fastapi import APIRouter

from backend.api.parameters import Id, UsesContext
from backend.services import forecasts
from tauscope.contracts.forecasts import ForecastCalibration, RunForecasts

router = APIRouter(tags=["forecasts"])


@router.get("/runs/{run_id}/forecasts")
def list_run_forecasts(context: UsesContext, run_id: Id) -> RunForecasts:
    """Every forecast of the run's tau_mem as it was made, oldest first, with its verdict by what is known now."""
    return forecasts.of_run(context, run_id)


@router.get("/forecasts/calibration")
def get_forecast_calibration(context: UsesContext) -> ForecastCalibration:
    """How the forecasts of all runs turned out: coverage with its interval, error, and that of the plain law."""
    return forecasts.calibration(context)
