"""The figures: what must be impossible to draw, and what a reader must find."""

from typing import Any

import pytest

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import FigureError, ViewOptions
from frontend.charts.filling import fill
from frontend.charts.marks import ONSETS, OnsetName, onset_marks
from frontend.theme import DARK, LIGHT, Palette, n_colours
from tauscope.contracts.experiments import Curves, ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus
from tests.frontend import fake_world as world

UNREACHED = [status for status in OnsetStatus if status is not OnsetStatus.REACHED]


def unreached(status: OnsetStatus) -> Onset:
    return Onset(value=None, low=20.0, high=90.0, status=status, metric="f_mem", level=0.25, reason="not by 450")


def marks(name: OnsetName, onset: Onset) -> list[dict[str, Any]]:
    return onset_marks(name, onset, y=0.25, yaxis="y2", divisor=1.0, palette=LIGHT, measured=(5.0, 450.0))


def figure(experiment: ExperimentView, **options: Any) -> dict[str, Any]:
    return experiment_figure(experiment, world.curves_of(experiment), ViewOptions(**options))


def texts(description: dict[str, Any]) -> str:
    return "\n".join(item["text"] for item in description["layout"]["annotations"])


@pytest.mark.parametrize("name", ONSETS)
@pytest.mark.parametrize("status", UNREACHED)
def test_an_onset_that_was_not_reached_is_never_drawn_as_a_point(name: OnsetName, status: OnsetStatus) -> None:
    for trace in marks(name, unreached(status)):
        assert trace["meta"]["status"] == "arrow"
        assert not {"circle", "diamond"} & set(trace["marker"]["symbol"])
        assert "error_x" not in trace


def test_a_censored_onset_is_an_arrow_outward_from_the_last_measured_step() -> None:
    (arrow,) = marks("tau_mem", unreached(OnsetStatus.CENSORED))
    assert arrow["x"][0] == 450.0 < arrow["x"][1]
    assert arrow["marker"]["symbol"] == ["line-ns", "triangle-right"]


def test_an_onset_before_the_first_measurement_is_an_arrow_back_from_it() -> None:
    (arrow,) = marks("tau_gen", unreached(OnsetStatus.BEFORE_FIRST))
    assert arrow["x"][1] < arrow["x"][0] == 5.0


def test_an_undefined_onset_has_no_mark() -> None:
    assert marks("tau_mem", unreached(OnsetStatus.UNDEFINED)) == []


def test_a_reached_onset_is_a_point_with_its_interval_as_a_bar() -> None:
    (mark,) = marks("tau_mem", world.reached(200, 180, 230, "f_mem", 0.25))
    assert mark["x"] == [200]
    assert mark["error_x"]["array"] == [30]
    assert mark["error_x"]["arrayminus"] == [20]


def test_f_mem_without_its_control_is_refused() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    stripped = {run: {name: series for name, series in found.items() if name != "f_mem_control"} for run, found in curves.runs.items()}
    with pytest.raises(FigureError, match="held-out control"):
        experiment_figure(experiment, curves.model_copy(update={"runs": stripped}), ViewOptions())


def test_every_f_mem_curve_has_a_control_curve_in_the_same_panel() -> None:
    data = figure(world.finished())["data"]
    bound = {(t["meta"]["bind"]["run"], t["meta"]["bind"]["metric"], t["yaxis"]) for t in data if "bind" in t.get("meta", {})}
    runs = {run for run, metric, _ in bound if metric == "f_mem"}
    assert runs == {"demor0", "demor1", "demor2"}
    assert all((run, "f_mem_control", "y2") in bound for run in runs)


def test_the_quality_panel_shows_the_quantity_that_defines_tau_gen_unless_another_is_asked_for() -> None:
    experiment = world.finished()
    assert "good enough: 0.55" in texts(figure(experiment))
    other = texts(figure(experiment, quality="frechet_pca"))
    assert "good enough" not in other
    assert "real against real" in other
    assert "a copier, n = 16: 7.1" in other


def test_on_the_tau_over_n_axis_every_time_is_divided_by_its_runs_n() -> None:
    experiment = world.finished()
    filled = fill(figure(experiment, axis="tau_n"), world.curves_of(experiment))
    onsets = [t["x"][0] for t in filled["data"] if t.get("meta", {}).get("onset") == "tau_mem" and t["yaxis"] == "y2"]
    assert onsets == pytest.approx([230 / 16, 480 / 32, 1000 / 64])
    line = next(t for t in filled["data"] if t.get("meta", {}).get("bind", {}).get("metric") == "f_mem" and t["mode"] == "lines+markers")
    assert line["x"][0] == pytest.approx(5 / 16)


def test_all_panels_share_one_logarithmic_time_axis() -> None:
    layout = figure(world.finished(), losses=100)["layout"]
    assert layout["xaxis"]["type"] == "log"
    assert not any(key.startswith("xaxis") and key != "xaxis" for key in layout)


def test_the_time_axis_stands_before_the_first_point_and_does_not_move_with_data() -> None:
    before = figure(world.live(step=5))["layout"]["xaxis"]["range"]
    assert figure(world.live(step=900))["layout"]["xaxis"]["range"] == before


def test_an_experiment_without_points_shows_its_axes_and_one_sentence() -> None:
    description = figure(world.queued())
    assert "No measurement yet" in texts(description)
    assert "copying level: 25 %" in texts(description)


def test_a_diverged_point_leaves_a_gap_and_a_cross_with_its_step() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    rows = [(5, 0.9, None, None, 512), (50, None, None, None, None)]
    broken = {**curves.runs["demor0"], "loss_held_out@100": world.series(rows)}
    changed = curves.model_copy(update={"runs": {**curves.runs, "demor0": broken}})
    description = experiment_figure(experiment, changed, ViewOptions())
    assert "× n = 16 diverged at τ 50" in texts(description)
    line = next(
        t
        for t in fill(description, changed)["data"]
        if t.get("meta", {}).get("bind", {}).get("run") == "demor0" and t["yaxis"] == "y" and t["mode"] == "lines+markers"
    )
    assert line["y"] == [0.9, None]
    assert line["connectgaps"] is False


def test_a_series_that_has_not_begun_is_drawn_empty() -> None:
    experiment = world.finished()
    empty = Curves(experiment_id="demo", cursor="", metrics={}, runs={})
    description = experiment_figure(experiment, world.curves_of(experiment), ViewOptions())
    bound = [t for t in fill(description, empty)["data"] if "bind" in t.get("meta", {})]
    assert bound
    assert all(trace["x"] == [] for trace in bound)


def test_runs_that_never_reach_quality_say_so_in_their_row() -> None:
    assert "no window: quality never reached by 450" in texts(figure(world.never_good()))


def lightness(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2


@pytest.mark.parametrize("palette", [LIGHT, DARK])
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 9, 12])
def test_the_order_of_n_is_clear_in_greyscale(palette: Palette, count: int) -> None:
    shades = [lightness(colour) for colour in n_colours(count, palette)]
    falling = shades == sorted(shades, reverse=True)
    assert falling if palette is LIGHT else shades == sorted(shades)
    assert len(set(shades)) == count


def test_plotly_accepts_every_figure() -> None:
    go = pytest.importorskip("plotly.graph_objects")
    for experiment in (world.finished(), world.live(), world.queued(), world.never_good()):
        filled = fill(figure(experiment, losses=10, quality="frechet_pca"), world.curves_of(experiment))
        go.Figure(filled)


def test_the_control_is_bound_before_the_first_point_so_that_both_appear_together() -> None:
    bound = [t["meta"]["bind"]["metric"] for t in figure(world.queued())["data"] if "bind" in t.get("meta", {})]
    assert bound.count("f_mem_control") == bound.count("f_mem") == 3
