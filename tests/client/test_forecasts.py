"""The client asks for forecasts, and the terminal tells them."""

from tauscope.cli.tables import forecast_sentences
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tests.frontend import fake_forecasts


def test_a_run_without_points_has_no_forecast_and_the_store_no_calibration(api: TauscopeClient) -> None:
    (run, *_) = api.launch(ExperimentCreate(preset="digits-ci")).runs
    assert run.forecast is None
    found = api.run_forecasts(run.id)
    assert (found.run_id, found.outcome, found.forecasts) == (run.id, None, ())
    assert api.forecast_calibration().last.coverage_80.count == 0


def test_the_terminal_tells_a_forecast_with_interval_and_evidence_and_why_there_is_none() -> None:
    view = fake_forecasts.foretold()
    runs = (view.runs[1], view.runs[2].model_copy(update={"forecast": fake_forecasts.NONE}))
    told, untold = forecast_sentences(view.model_copy(update={"runs": runs}))
    assert told == (
        "n_train=32: tau_mem foretold at 700 (80 % interval 578 to 848; "
        "from 3 pilots, loss gap at 50%, 41 earlier runs of 6 configurations, at step 500)"
    )
    assert untold == "n_train=64: tau_mem is not foretold: no earlier run of this data set has copied by this definition yet"
