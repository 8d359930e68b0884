"""The watch page of a sweep with seeds: means with their interval, thin seeds, onsets as bands, and what two seeds do not tell."""

from typing import Any

import numpy as np
import pytest

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import ViewOptions
from frontend.charts.filling import fill
from frontend.charts.groups import group_runs
from frontend.charts.seed_lines import seed_lines
from frontend.markup.alternative import plain
from frontend.markup.keys import mark_keys
from frontend.markup.side import focus_card
from frontend.theme import LIGHT
from frontend.views import options_from
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset
from tauscope.contracts.runs import RunState
from tauscope.metrics.intervals import mean_interval
from tests.frontend import fake_compared
from tests.frontend import fake_world as world
from tests.frontend.many_runs import ManyRuns

LOSS = "loss_held_out@100"


def described(experiment: ExperimentView, curves: Curves, **options: Any) -> dict[str, Any]:
    return experiment_figure(experiment, curves, ViewOptions(**options))


def of_seeds(**options: Any) -> tuple[dict[str, Any], Curves]:
    view = fake_compared.seeds()
    curves = fake_compared.seed_curves(view)
    return described(view, curves, **options), curves


def drawn_lines(figure: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    return [t for t in figure["data"] if "group" in t.get("meta", {}) and t["meta"]["bind"]["metric"] == metric]


def thin(figure: dict[str, Any], metric: str) -> list[dict[str, Any]]:
    return [t for t in figure["data"] if "seeds" in t.get("meta", {}) and t["meta"]["bind"]["metric"] == metric]


def bands(figure: dict[str, Any], name: str) -> list[tuple[float, float]]:
    return [(shape["x0"], shape["x1"]) for shape in figure["layout"]["shapes"] if shape.get("name") == name]


def reached_at(onset: Onset, factor: float) -> Onset:
    return onset.model_copy(update={end: getattr(onset, end) * factor for end in ("value", "low", "high")})


def spread(experiment: ExperimentView, factors: dict[int, float]) -> ExperimentView:
    """The experiment with each seed's tau_mem by its own factor earlier or later."""
    runs = [
        run.model_copy(update={"onsets": run.onsets | {"tau_mem": reached_at(run.onsets["tau_mem"], factors[run.params["seed"]])}})
        for run in experiment.runs
    ]
    return experiment.model_copy(update={"runs": tuple(runs)})


def test_each_n_is_one_mean_over_its_seeds_with_the_seeds_thin_behind_it() -> None:
    figure, curves = of_seeds()
    filled = fill(figure, curves)
    means = drawn_lines(filled, "f_mem")
    assert [t["meta"]["group"] for t in means] == ["16", "64"]
    seeds = [curves.runs[f"seedsr{place}"]["f_mem"] for place in range(4)]
    at = len(seeds[0].step) - 2
    low, high, count, step = means[0]["customdata"][at]
    values = np.array([item.value[at] for item in seeds], dtype=float)
    mean, _, _ = mean_interval(values)
    assert means[0]["y"][at] == pytest.approx(mean)
    assert (low <= mean <= high, count, step) == (True, 4, seeds[0].step[at])
    behind = thin(filled, "f_mem")
    assert [len(t["meta"]["bind"]["runs"]) for t in behind] == [4, 4]
    assert all(t["line"]["width"] == 1.2 and t["line"]["color"].endswith("0.35)") for t in behind)


def test_the_interval_of_a_mean_is_its_band_and_stands_in_the_hover_box_with_the_number_of_seeds() -> None:
    figure, curves = of_seeds()
    upper = [t for t in fill(figure, curves)["data"] if t.get("fill") == "tonexty" and t["meta"]["bind"]["metric"] == "f_mem"]
    (mean, _) = drawn_lines(fill(figure, curves), "f_mem")
    assert list(upper[0]["y"]) == [row[1] for row in mean["customdata"]]
    assert "over %{customdata[2]} seeds" in mean["hovertemplate"] and " copied" not in mean["hovertemplate"]


def test_a_click_on_a_mean_inspects_a_run_that_there_is() -> None:
    figure, _ = of_seeds()
    assert [t["meta"]["inspect"] for t in drawn_lines(figure, "f_mem")] == ["seedsr0", "seedsr4"]


def test_an_onset_that_all_seeds_reach_is_one_mark_with_a_band_over_the_seeds() -> None:
    factors = {1: 0.8, 2: 0.9, 3: 1.1, 4: 1.25}
    view = spread(fake_compared.seeds(), factors)
    figure = described(view, fake_compared.seed_curves(view))
    marks = [t for t in figure["data"] if t.get("meta", {}).get("onset") == "tau_mem" and t["yaxis"] == "y2"]
    logs = np.log([230 * factor for factor in factors.values()])
    mean, low, high = np.exp(mean_interval(logs))
    assert next(t["x"] for t in marks) == pytest.approx([mean])
    assert bands(figure, "tau_mem")[0] == pytest.approx((low, high))
    assert "window of n = 64 (4 seeds)" in str(figure["layout"]["annotations"])


def test_where_a_seed_has_not_reached_an_onset_no_mean_hides_it() -> None:
    view = fake_compared.seeds()
    late = view.runs[1].model_copy(update={"onsets": view.runs[1].onsets | {"tau_mem": world.not_by(450, "f_mem", 0.25)}})
    view = view.model_copy(update={"runs": (view.runs[0], late, *view.runs[2:])})
    figure = described(view, fake_compared.seed_curves(view), focus="16")
    marks = [t for t in figure["data"] if t.get("meta", {}).get("onset") == "tau_mem" and t["yaxis"] == "y2"]
    assert len(marks) == 3 + 1, "three of four seeds of n = 16, and the mean of n = 64"
    assert len(bands(figure, "tau_mem")) == 1
    card = plain(focus_card(group_runs(view, LIGHT)[0]))
    assert "reached by 3 of 4" in card
    assert "window of n = 16, seed 1" in str(figure["layout"]["annotations"])


def test_two_seeds_are_two_thin_lines_without_any_interval_and_the_page_says_so() -> None:
    view = fake_compared.pairs()
    curves = fake_compared.seed_curves(view)
    figure = described(view, curves)
    lines = drawn_lines(figure, LOSS)
    assert [t["meta"]["bind"]["run"] for t in lines] == [run.id for run in view.runs]
    assert {t["line"]["width"] for t in lines} == {1.2, 2}
    assert not [t for t in figure["data"] if t.get("fill") == "tonexty"]
    assert not bands(figure, "tau_gen") and not bands(figure, "tau_mem")
    words = plain(mark_keys(view, curves, ViewOptions()))
    assert "with no interval over seeds, which takes 3 that have begun: n = 16; n = 64" in words


def test_the_address_shows_each_seed_by_itself() -> None:
    assert options_from({"seeds": "each"}).apart and not options_from({"seeds": "mean"}).apart
    figure, curves = of_seeds(apart=True)
    assert not figure["means"] and not thin(figure, "f_mem")
    assert len(drawn_lines(figure, "f_mem")) == 8
    words = mark_keys(fake_compared.seeds(), curves, ViewOptions(apart=True))
    assert 'data-seeds=""' in words and "Show the mean" in words
    assert 'data-seeds="each"' in mark_keys(fake_compared.seeds(), curves, ViewOptions())


def test_a_mean_waits_for_its_third_seed() -> None:
    view = fake_compared.seeds()
    curves = fake_compared.seed_curves(view)
    begun = {run: found for run, found in curves.runs.items() if run in ("seedsr0", "seedsr1", "seedsr4", "seedsr5", "seedsr6")}
    lines = seed_lines(group_runs(view, LIGHT), curves.model_copy(update={"runs": begun}))
    assert [(line.is_mean, line.heading) for line in lines] == [(False, "n = 16"), (True, "n = 64 (3 of 4 seeds)")]


def test_the_focused_n_stands_out_and_its_onsets_over_the_seeds_are_in_words() -> None:
    figure, _ = of_seeds(focus="16")
    assert [t["line"]["width"] for t in drawn_lines(figure, "f_mem")] == [3, 2]
    card = plain(focus_card(group_runs(fake_compared.seeds(), LIGHT)[0]))
    assert "n = 16, 4 seeds: geometric mean, 95 %" in card and "230 (216 to 246)" in card


def test_forty_runs_of_ten_n_are_ten_means_in_few_traces_with_every_control_and_ring() -> None:
    state = ManyRuns("many", runs=40, points=100, seeds=4)
    experiment, curves = state.experiment(), state.curves(50)
    figure = described(experiment, curves)
    filled = fill(figure, curves)["data"]
    assert len(drawn_lines(figure, "f_mem")) == len(drawn_lines(figure, LOSS)) == 10
    assert len(figure["data"]) < 10 * 2 * 5 + 40
    controls = [t for t in filled if t.get("meta", {}).get("bind", {}).get("metric") == "f_mem_control"]
    assert sum(t["y"].count(0.001) for t in controls) == sum(len(run["f_mem_control"].step) for run in curves.runs.values())
    rings = [t for t in filled if t.get("meta", {}).get("bind", {}).get("last") and t["yaxis"] == "y2"]
    assert sum(x is not None for ring in rings for x in ring["x"]) == 40


def test_every_view_of_seeds_draws_in_every_state() -> None:
    go = pytest.importorskip("plotly.graph_objects")
    states = [RunState.RUNNING, RunState.FAILED]
    for experiment in (fake_compared.seeds(), fake_compared.pairs()):
        for state in states:
            view = experiment.model_copy(update={"runs": tuple(run.model_copy(update={"state": state}) for run in experiment.runs)})
            curves = fake_compared.seed_curves(view)
            for options in ({"losses": 10}, {"view": "overlay"}, {"view": "path"}, {"axis": "tau_n", "print_mm": 85}, {"axis": "seconds"}):
                go.Figure(fill(described(view, curves, **options), curves))
