"""Forecasts as they are drawn and told: never mistaken for a measurement, never without interval and counts."""

from typing import Any

from frontend.charts.calibration import calibration_figure
from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import ViewOptions
from frontend.charts.forecast import forecast_of, forecast_window
from frontend.charts.groups import group_runs
from frontend.forecasts_view import forecasts_view
from frontend.markup.alternative import alternative
from frontend.markup.forecasts import forecast_words, run_forecasts, source_words
from frontend.markup.html import TAU_MEM
from tauscope.analysis.forecast_score import score
from tauscope.contracts.forecasts import ForecastCalibration
from tests.frontend import fake_forecasts
from tests.frontend import fake_world as world

OPTIONS = ViewOptions()


def forecast_traces(figure: dict[str, Any]) -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace.get("meta", {}).get("status") == "forecast"]


def test_a_forecast_is_hollow_and_thin_where_the_measured_onset_is_filled() -> None:
    view = fake_forecasts.foretold()
    figure = experiment_figure(view, world.curves_of(view), OPTIONS)
    marks = forecast_traces(figure)
    assert len(marks) == 4  # n = 32 and 64, in the panel and in the rail.
    assert {mark["marker"]["symbol"] for mark in marks} == {"diamond-open"}
    assert {mark["error_x"]["thickness"] for mark in marks} == {1.3}
    measured = [t for t in figure["data"] if t.get("meta", {}).get("onset") == "tau_mem" and t["meta"]["status"] == "reached"]
    assert {mark["marker"]["symbol"] for mark in measured} == {"diamond"}


def test_the_bar_of_a_forecast_is_its_80_percent_interval() -> None:
    view = fake_forecasts.foretold()
    mark = forecast_traces(experiment_figure(view, world.curves_of(view), OPTIONS))[-1]
    made = view.runs[2].forecast
    assert made is not None and made.median is not None and made.low is not None and made.high is not None
    assert mark["x"] == [made.median]
    assert mark["x"][0] - mark["error_x"]["arrayminus"][0] == made.low
    assert mark["x"][0] + mark["error_x"]["array"][0] == made.high


def test_a_measured_onset_has_no_forecast_beside_it() -> None:
    done = world.finished().runs[2].model_copy(update={"forecast": fake_forecasts.forecast(900.0)})
    assert forecast_of(done) is None


def test_a_forecast_beyond_the_axis_is_told_and_not_drawn() -> None:
    view = fake_forecasts.foretold()
    far = view.runs[2].model_copy(update={"forecast": fake_forecasts.forecast(90_000.0)})
    view = view.model_copy(update={"runs": (*view.runs[:2], far)})
    marks = forecast_traces(experiment_figure(view, world.curves_of(view), OPTIONS))
    assert [mark["x"][0] < 1000 for mark in marks] == [True, True]  # That of n = 32 alone.


def test_the_window_ahead_ends_at_the_lower_end_of_the_forecast_in_half_the_tint() -> None:
    run = fake_forecasts.foretold().runs[2]
    ahead = forecast_window(run, opacity=0.28, options=OPTIONS)
    assert ahead is not None and run.forecast is not None
    assert (ahead["x0"], ahead["x1"]) == (fake_forecasts.STEP, run.forecast.low)
    assert ahead["fillcolor"].endswith(",0.14)")
    nearer = run.model_copy(update={"forecast": fake_forecasts.forecast(510.0)})
    assert forecast_window(nearer, opacity=0.28, options=OPTIONS) is None


def test_a_forecast_is_told_with_interval_and_what_it_is_drawn_from() -> None:
    made = fake_forecasts.forecast(1060.0)
    assert forecast_words(made) == "1,060 (80 %: 875 to 1,284)"
    assert source_words(made) == "3 pilots and its loss gap at 50 %, and 41 runs of 6 configurations"
    assert forecast_words(fake_forecasts.NONE) == "no forecast: no earlier run of this data set has copied by this definition yet"


def test_whoever_does_not_see_the_chart_is_told_the_forecast() -> None:
    view = fake_forecasts.foretold()
    told = alternative(view, group_runs(view, OPTIONS.palette))
    assert "tau_mem foretold 1,060 (80 %: 875 to 1,284)" in told
    assert "foretold" not in alternative(world.finished(), group_runs(world.finished(), OPTIONS.palette))


def test_the_page_of_a_run_lists_its_forecasts_beside_the_outcome() -> None:
    told = run_forecasts(fake_forecasts.of_run(world.finished().runs[2]))
    assert f"{TAU_MEM}: 1,000 (940 to 1,070)." in told
    assert "None: no earlier run of this data set has copied by this definition yet." in told
    assert told.count("inside the 80 % interval") == 2
    assert "848" in told  # The plain law of the last one.


def test_the_calibration_figure_tells_inside_from_outside_without_colour_and_draws_a_refuted_one_as_an_arrow() -> None:
    found = fake_forecasts.calibration().last
    traces = calibration_figure(found, OPTIONS, height=400)["data"]
    symbols = {trace["meta"]["verdict"]: trace["marker"]["symbol"] for trace in traces if "meta" in trace}
    assert symbols["inside"] == "diamond" and symbols["later"] == "diamond-open"
    assert symbols["refuted"] == ["line-ew", "triangle-up"]
    drawn = sum(len(trace["x"]) for trace in traces if trace.get("meta", {}).get("verdict") not in (None, "refuted"))
    assert drawn == 60


def test_the_calibration_page_gives_coverage_with_count_and_interval() -> None:
    found = fake_forecasts.calibration()
    regions = forecasts_view(found, OPTIONS)["regions"]
    covered, count = found.last.coverage_80.covered, found.last.coverage_80.count
    assert count == 61
    assert regions["finding"].startswith(f"{covered} of {count}, ")
    assert "as if runs were independent" in regions["table"]


def test_a_store_without_outcomes_shows_words_and_no_figure() -> None:
    empty = ForecastCalibration(version=1, first=score([]), last=score([]))
    view = forecasts_view(empty, OPTIONS)
    assert view["figure"] is None
    assert view["regions"]["finding"] == "No forecast has an outcome yet."
