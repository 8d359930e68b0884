"""The law page: two figures and a score that follow from the curves, and what cannot be drawn there."""

import math
import re
from typing import Any

import pytest

from frontend.charts.collapse import collapse_figure
from frontend.charts.figure import FigureError, ViewOptions
from frontend.charts.groups import group_runs
from frontend.charts.law import scales_with
from frontend.charts.reading import drawn_points
from frontend.law_view import at_level, collapse_of, law_view
from frontend.markup.alternative import plain
from frontend.theme import LIGHT
from tauscope.analysis.collapse import Collapse
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import PowerLawFit, ScalingVariable
from tauscope.contracts.runs import RunState
from tests.frontend import fake_forecasts
from tests.frontend import fake_world as world
from tests.frontend.fake_widths import over_widths, width_curves
from tests.frontend.many_runs import ManyRuns


def shown(
    experiment: ExperimentView,
    a: float | None = None,
    b: float | None = None,
    level: float | None = None,
    by: str | None = None,
    curves: Curves | None = None,
) -> dict[str, Any]:
    exponents: dict[ScalingVariable, float | None] = {"n": a, "width": b}
    return law_view(experiment, curves or world.curves_of(experiment), ViewOptions(), exponents=exponents, level=level, by=by)


def traces(view: dict[str, Any], name: str, status: str) -> list[dict[str, Any]]:
    return [t for t in view["figures"]["law"]["data"] if t.get("meta", {}).get("status") == status and t["meta"]["onset"] == name]


def lines(view: dict[str, Any]) -> list[dict[str, Any]]:
    return [t for t in view["figures"]["collapse"]["data"] if "hovertemplate" in t]


def test_every_time_is_divided_by_n_to_the_exponent_of_the_address() -> None:
    for line in lines(shown(world.finished(), a=0.5)):
        assert line["x"] == pytest.approx([tau / math.sqrt(line["meta"]["at"]["n"]) for tau in line["meta"]["tau"]])


def test_without_an_exponent_in_the_address_the_best_one_is_shown() -> None:
    experiment = world.finished()
    found = collapse_of(experiment, world.curves_of(experiment))
    assert isinstance(found, Collapse)
    assert found.best == pytest.approx([1.05], abs=0.02)
    assert f'a = <b data-shown="a">{found.best[0]:.2f}</b>' in shown(experiment)["slider"]


def test_the_collapse_shows_f_mem_minus_its_control() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    line = lines(shown(experiment))[0]
    assert line["y"][-1] == pytest.approx(curves.runs["demor0"]["f_mem"].value[-1] - 0.001)  # type: ignore[operator]


def test_f_mem_without_its_control_does_not_collapse_silently() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    stripped = {run: {"f_mem": found["f_mem"]} for run, found in curves.runs.items()}
    with pytest.raises(FigureError, match="held-out control"):
        collapse_figure(
            group_runs(experiment, LIGHT), curves.model_copy(update={"runs": stripped}), {"n": 1.0}, ViewOptions(), level=0.25, height=400
        )


def test_onsets_stand_at_their_n_with_their_intervals_and_censored_ones_are_arrows() -> None:
    view = shown(world.live(step=700))
    assert [(t["x"], t["y"]) for t in traces(view, "tau_mem", "reached")] == [([16.0], [230.0]), ([32.0], [480.0])]
    (arrow,) = traces(view, "tau_mem", "arrow")
    assert arrow["x"] == [64.0, 64.0]
    assert arrow["y"][0] == 700 < arrow["y"][1]


def test_seeds_are_small_and_their_mean_is_large() -> None:
    experiment = world.finished()
    twice = [run.model_copy(update={"id": f"{run.id}b", "params": {**run.params, "seed": 2}}) for run in experiment.runs]
    view = shown(experiment.model_copy(update={"runs": (*experiment.runs, *twice)}))
    (mean,) = [t for t in traces(view, "tau_mem", "mean") if t["x"] == [16.0]]
    seed = next(t for t in traces(view, "tau_mem", "reached") if t["x"] == [16.0])
    assert mean["marker"]["size"] > 1.5 * seed["marker"]["size"]
    assert mean["y"] == pytest.approx([230.0])


def test_the_law_is_drawn_with_its_band_and_a_dashed_slope_of_one() -> None:
    data = shown(world.finished())["figures"]["law"]["data"]
    assert [t for t in data if t.get("fill") == "tonexty"]
    (reference,) = [t for t in data if t.get("line", {}).get("dash") == "dash"]
    (x0, x1), (y0, y1) = reference["x"], reference["y"]
    assert math.log(y1 / y0) == pytest.approx(math.log(x1 / x0))


def test_at_another_level_the_onsets_and_the_law_are_read_anew() -> None:
    experiment = world.finished()
    changed, level = at_level(experiment, world.curves_of(experiment), 0.5)
    assert level == 0.5
    before, after = (view.runs[0].onsets["tau_mem"].value for view in (experiment, changed))
    assert before is not None and after is not None and after > before
    fit = changed.fits["tau_mem_vs_n"]
    assert fit.exponent == pytest.approx(1.05, abs=0.1)


def test_the_table_gives_exponent_interval_counts_and_definition() -> None:
    table = shown(world.finished())["table"]
    for words in ("1.06", "1.01 to 1.12", "first at or above 25 %", "run-to-run spread not included"):
        assert words in table


def test_before_copying_starts_the_page_says_what_is_missing() -> None:
    view = shown(world.live(step=20))
    assert "No collapse score yet: copying has to rise to 20 % at two values of n." in view["slider"]
    assert view["finding"] == "No law yet: it needs the onset of copying at two values of n."
    assert view["score"] is None


def test_one_value_of_n_has_no_law() -> None:
    run = world.run_view("one", 0, 16, step=450, state=RunState.FINISHED)
    view = shown(world.experiment_view("one", "one size", (run,), state=RunState.FINISHED))
    assert view["finding"] == "n does not vary in this experiment, so there is no law to fit."


def test_an_exponent_of_nothing_is_zero_without_a_sign() -> None:
    fit = PowerLawFit(exponent=-0.001, low=-0.1, high=0.1, points=3, prefactor=31.0, note="")
    experiment = world.finished().model_copy(update={"fits": {"tau_gen_vs_n": fit, "tau_mem_vs_n": world.FIT}})
    view = shown(experiment)
    assert "-0.00" not in str(view["figures"]["law"])
    assert "shows no dependence on n: exponent 0 lies inside its interval" in view["finding"]


def test_plotly_accepts_both_figures_in_every_state_and_for_paper() -> None:
    go = pytest.importorskip("plotly.graph_objects")
    for experiment in (world.finished(), world.live(), world.queued(), world.never_good()):
        for options in (ViewOptions(), ViewOptions(print_mm=85), ViewOptions(theme="dark", width=390)):
            view = law_view(experiment, world.curves_of(experiment), options, exponents={"n": 1.0}, level=None)
            for made in view["figures"].values():
                go.Figure(made)


def test_where_the_width_alone_varies_the_law_is_over_the_width() -> None:
    view = shown(over_widths("widths", (16,)))
    assert [t["x"] for t in traces(view, "tau_mem", "reached")] == [[8.0], [16.0], [32.0]]
    assert "~ W<sup>−1.00</sup>" in view["finding"]
    assert "1/W (exponent −1) lies inside the interval" in view["finding"]
    assert "base width W" in str(view["figures"]["law"]["layout"]["xaxis"]["title"])


def test_where_both_vary_the_address_chooses_and_each_line_runs_through_its_onsets() -> None:
    experiment = over_widths("widths")
    assert scales_with(experiment) == ("n", "width")
    for by, exponent in (("n", 1.06), ("width", -1.0)):
        view = shown(experiment, by=by)
        _, line = [t for t in view["figures"]["law"]["data"] if len(t["x"]) == 41 and t["line"]["width"]]  # of tau_gen, of tau_mem
        onsets = traces(view, "tau_mem", "mean")
        slope = math.log(line["y"][-1] / line["y"][0]) / math.log(line["x"][-1] / line["x"][0])
        assert slope == pytest.approx(exponent, abs=0.02)
        inside = math.exp(sum(math.log(t["y"][0]) for t in onsets) / len(onsets))
        assert math.exp(sum(map(math.log, line["y"])) / 41) == pytest.approx(inside, rel=0.05)
    assert "n<sup>a</sup>" in view["table"] and "W<sup>b</sup>" in view["table"]
    assert "mean over n" in str(view["figures"]["law"]["layout"]["annotations"])


def test_over_n_and_w_the_curves_fall_together_under_both_exponents() -> None:
    experiment = over_widths("widths")
    view = shown(experiment, curves=width_curves(experiment))
    assert view["score"]["best"] == pytest.approx([1.05, -1.0], abs=0.03)
    for letter in ("a", "b"):
        assert f'data-exponent="{letter}"' in view["slider"]
    assert "The curves lie closest at a = 1.0" in view["collapse_words"] and "and b = −1.0" in view["collapse_words"]
    assert "one run at some n and W" in view["collapse_words"]


def test_each_time_is_divided_by_n_and_w_to_the_exponents_of_the_address() -> None:
    experiment = over_widths("widths")
    view = shown(experiment, a=1.0, b=-0.5, curves=width_curves(experiment))
    for line in lines(view):
        scale = line["meta"]["at"]["n"] / math.sqrt(line["meta"]["at"]["width"])
        assert line["x"] == pytest.approx([tau / scale for tau in line["meta"]["tau"]])
    assert view["figures"]["collapse"]["layout"]["xaxis"]["title"]["text"] == "τ W<sup>0.50</sup> / n<sup>1.00</sup> (log)"


def test_over_w_alone_the_axis_is_w_tau_and_n_is_not_named() -> None:
    experiment = over_widths("widths", (16,))
    view = shown(experiment, b=-1.0, curves=width_curves(experiment))
    assert view["figures"]["collapse"]["layout"]["xaxis"]["title"]["text"] == "τ W<sup>1.00</sup> (log)"
    assert 'data-exponent="a"' not in view["slider"]
    assert view["collapse_words"].startswith("<p><b data-score>b = −1.00: score ")
    assert 'href="/law?id=widths"' in view["header"]


def test_a_sweep_over_n_says_nothing_of_w() -> None:
    view = shown(world.finished())
    assert not re.search(r"\bW\b", plain(view["slider"]) + plain(view["collapse_words"]))
    assert 'data-exponent="b"' not in view["slider"]


def test_a_run_that_has_not_come_to_the_level_is_an_arrow_on_it_from_its_last_measured_time() -> None:
    view = shown(world.live(step=700), a=1.0)
    (arrow,) = [t for t in view["figures"]["collapse"]["data"] if t["meta"].get("status") == "arrow"]
    last = lines(view)[-1]
    assert arrow["x"][0] == last["x"][-1] < arrow["x"][1] and arrow["y"] == [0.25, 0.25]
    assert arrow["meta"]["tau"][0] == pytest.approx(last["meta"]["tau"][-1])


def test_a_forecast_is_hollow_with_its_interval_and_takes_no_part_in_the_fit() -> None:
    view = shown(fake_forecasts.foretold())
    (mark,) = [t for t in traces(view, "tau_mem", "forecast") if 64 < t["x"][0] < 70]
    assert mark["marker"]["symbol"] == "diamond-open"
    assert mark["y"] == [1060.0]
    assert (mark["error_y"]["array"][0], mark["error_y"]["thickness"]) == (pytest.approx(1284 - 1060, abs=1), 1.3)
    assert mark["x"] != [64.0], "a forecast stands beside the arrow of the same run"
    assert "1,060 (80 %: 875 to 1,284)" in view["table"] and "no forecast takes part in a fit" in view["table"]
    assert not traces(shown(world.finished()), "tau_mem", "forecast")


def test_how_forecasts_turned_out_is_one_click_from_the_law() -> None:
    assert 'href="/forecasts"' in shown(world.finished())["law_keys"]


@pytest.mark.parametrize("level", [None, 0.4])
def test_fewer_points_are_drawn_of_long_curves_and_every_number_is_of_all(monkeypatch: pytest.MonkeyPatch, level: float | None) -> None:
    store = ManyRuns(runs=40, points=1000, seeds=5)
    experiment, curves = store.experiment(), store.curves(None)
    bounded = shown(experiment, level=level, curves=curves)
    monkeypatch.setattr("frontend.charts.collapse.drawn_points", lambda n_runs: 10**6)
    whole = shown(experiment, level=level, curves=curves)
    for region in ("finding", "slider", "law_keys", "collapse_words", "score", "table", "alt"):
        assert bounded[region] == whole[region]
    assert bounded["figures"]["law"] == whole["figures"]["law"]
    assert len(lines(bounded)) == len(lines(whole)) == 40
    for few, every in zip(lines(bounded), lines(whole), strict=True):
        assert len(few["x"]) <= drawn_points(40) < len(every["x"])
        drawn, measured = (list(zip(line["meta"]["tau"], line["y"], strict=True)) for line in (few, every))
        assert set(drawn) <= set(measured)
        assert (drawn[0], drawn[-1]) == (measured[0], measured[-1])
        assert (min(few["y"]), max(few["y"])) == (min(every["y"]), max(every["y"]))
