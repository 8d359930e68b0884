"""The figures: what must be impossible to draw, and what a reader must find."""

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import FigureError, ViewOptions
from frontend.charts.filling import fill, value_at
from frontend.charts.labels import Frame, LineEnd, Room, end_labels
from frontend.charts.marks import ONSETS, OnsetName, joined, onset_marks
from frontend.charts.quality import words_apart
from frontend.charts.reading import divisor
from frontend.charts.window import window_of
from frontend.theme import DARK, LIGHT, Palette, n_colours
from frontend.words import Axis
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import Onset, OnsetStatus
from tests.frontend import fake_world as world
from tests.frontend.many_runs import ManyRuns

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


def many() -> tuple[ExperimentView, Curves]:
    state = ManyRuns(runs=40, points=100)
    return state.experiment(), state.curves(50)


def test_a_figure_of_forty_runs_has_few_more_traces_than_curves() -> None:
    experiment, curves = many()
    data = experiment_figure(experiment, curves, ViewOptions())["data"]
    curve_lines = [t for t in data if "group" in t.get("meta", {})]
    assert len(curve_lines) == 80
    assert {t["meta"]["group"] for t in curve_lines if "hovertemplate" in t} == {"320"}
    assert len(data) < 80 + 60


def test_among_many_runs_each_f_mem_still_has_its_control_and_the_newest_points_their_rings() -> None:
    experiment, curves = many()
    filled = fill(experiment_figure(experiment, curves, ViewOptions()), curves)["data"]
    (control,) = [t for t in filled if t.get("meta", {}).get("bind", {}).get("metric") == "f_mem_control"]
    assert control["y"].count(0.001) == sum(len(run["f_mem_control"].step) for run in curves.runs.values()) > 0
    assert control["y"].count(None) == 40
    rings = [t for t in filled if t.get("meta", {}).get("bind", {}).get("last") and t["mode"] == "markers"]
    assert [len([x for x in ring["x"] if x is not None]) for ring in rings] == [40, 40]


def test_joined_marks_keep_every_place_bar_and_gap() -> None:
    points = [mark for value in (200, 300) for mark in marks("tau_mem", world.reached(value, 180, 330, "f_mem", 0.25))]
    arrows = [mark for _ in range(3) for mark in marks("tau_mem", unreached(OnsetStatus.CENSORED))]
    reached, censored = joined([*points, *arrows])
    assert (reached["x"], reached["error_x"]["array"], reached["error_x"]["arrayminus"]) == ([200, 300], [130, 30], [20, 120])
    assert censored["x"].count(None) == 3
    assert len(censored["marker"]["symbol"]) == len(censored["x"]) == 9


def test_overlay_puts_both_panels_in_one_frame_with_f_mem_dashed() -> None:
    made = figure(world.finished(), view="overlay")
    layout = made["layout"]
    assert layout["yaxis"]["domain"] == layout["yaxis2"]["domain"]
    assert layout["yaxis2"]["overlaying"] == "y"
    copied = [t for t in made["data"] if "hovertemplate" in t and t["meta"]["bind"]["metric"] == "f_mem"]
    assert {t["line"]["dash"] for t in copied} == {"dash"}


def test_the_path_goes_through_quality_and_f_mem_at_the_same_step() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    data = fill(figure(experiment, view="path", quality="frechet_pca"), curves)["data"]
    dots = next(t for t in data if t.get("marker", {}).get("colorscale"))
    series = curves.runs["demor0"]
    assert dots["x"] == list(series["f_mem"].value)
    assert dots["y"] == list(series["frechet_pca"].value)
    assert dots["marker"]["color"] == pytest.approx([math.log10(step) for step in series["f_mem"].step])


def test_where_quality_was_not_measured_the_path_takes_it_between_its_neighbours_in_log_time() -> None:
    series = world.series([(10, 1.0, None, None, 1), (1000, 0.0, None, None, 1), (2000, None, None, None, None)])
    assert value_at(series, 100) == pytest.approx(0.5)
    assert value_at(series, 5) is None
    assert value_at(series, 1500) is None


def test_the_part_of_a_path_within_the_window_is_underlaid() -> None:
    experiment = world.finished()
    window = window_of(experiment.runs[0])
    assert window is not None
    data = fill(figure(experiment, view="path"), world.curves_of(experiment))["data"]
    underlaid = next(t for t in data if t["meta"]["bind"].get("window"))
    steps = [row[3] for row in underlaid["customdata"]]
    assert steps and all(window.start <= step <= window.end for step in steps)


def test_a_path_without_the_control_of_f_mem_is_refused() -> None:
    experiment = world.finished()
    curves = world.curves_of(experiment)
    stripped = {run: {name: series for name, series in found.items() if name != "f_mem_control"} for run, found in curves.runs.items()}
    with pytest.raises(FigureError, match="held-out control"):
        experiment_figure(experiment, curves.model_copy(update={"runs": stripped}), ViewOptions(view="path"))


@pytest.mark.parametrize(("axis", "divided"), [("tau", 1.0), ("tau_n", 64.0), ("w_tau", 1 / 16), ("epochs", 1.0), ("seconds", 22.0)])
def test_time_is_drawn_in_steps_per_image_epochs_or_seconds(axis: Axis, divided: float) -> None:
    experiment = world.finished()
    filled = fill(figure(experiment, axis=axis, quality="frechet_pca"), world.curves_of(experiment))["data"]
    line = next(t for t in filled if "hovertemplate" in t and t["meta"]["bind"]["run"] == "demor2")
    assert line["x"][0] == pytest.approx(5 / divided)


def test_epochs_are_steps_times_batch_over_n() -> None:
    run = world.finished().runs[0]
    assert divisor(run, ViewOptions(axis="epochs")) == pytest.approx(16 / 64)


def test_a_run_that_has_not_computed_yet_does_not_stretch_the_axis_of_seconds() -> None:
    experiment = world.finished()
    waiting = experiment.runs[0].model_copy(update={"step": 0, "seconds": 0.0})
    mixed = experiment.model_copy(update={"runs": (waiting, *experiment.runs[1:])})
    ends = figure(mixed, axis="seconds")["layout"]["xaxis"]["range"]
    assert ends[1] < 3


def test_for_paper_all_type_has_eight_points_and_the_rail_is_left_out() -> None:
    made = figure(world.finished(), print_mm=85)
    assert "yaxis3" not in made["layout"]
    assert made["layout"]["width"] == 321
    assert {round(item["font"]["size"], 3) for item in made["layout"]["annotations"]} == {10.667}


def test_on_a_projector_type_and_lines_are_larger() -> None:
    plain, large = figure(world.finished()), figure(world.finished(), talk=True)
    assert large["layout"]["xaxis"]["tickfont"]["size"] == pytest.approx(1.35 * plain["layout"]["xaxis"]["tickfont"]["size"])


def test_a_running_row_says_share_speed_and_time_left() -> None:
    assert "<b>29 %</b> · 22 steps/s · 77 s left" in texts(figure(world.live(step=700)))


def test_the_rows_of_further_seeds_name_the_seed_alone() -> None:
    experiment = world.finished()
    seeds = [
        run.model_copy(update={"id": f"{run.id}s{seed}", "params": {**run.params, "seed": seed}})
        for run in experiment.runs
        for seed in (1, 2)
    ]
    rows = figure(experiment.model_copy(update={"runs": tuple(seeds)}))["layout"]["annotations"]
    names = [item["text"] for item in rows if item.get("yref") == "y3" and item["xanchor"] == "right"]
    assert names == ["n = 16", "seed 2", "n = 32", "seed 2", "<b>n = 64</b>", "<b>seed 2</b>"]


def test_a_label_at_a_lines_end_keeps_clear_of_upright_lines_of_words_on_thresholds_and_of_the_panels_edge() -> None:
    frame = Frame((1, 1000), (0, 1), 500, 200, log_y=False)
    line = LineEnd(((1, 0.5), (100, 0.5)), "n = 16", "#000000", bold=False)
    start = LineEnd(((1, 0.0), (1.01, 0.0)), "n = 16", "#000000", bold=False)

    def place(end: LineEnd, frame: Frame, **given: Any) -> tuple[str, int, int]:
        (found,) = end_labels([end], frame, "y", **given)
        return found["xanchor"], found["xshift"], found["yshift"]

    assert place(line, frame) == ("left", 12, 0)
    assert place(line, replace(frame, walls=(150.0,))) == ("center", 0, 15)
    assert place(start, frame) == ("left", 12, 0)
    assert place(start, frame, levels=[0.0]) == ("left", 12, 28)
    assert place(replace(line, points=((1, 0.5), (900, 0.5))), frame)[0] != "left"
    assert place(replace(line, points=((1, 0.5), (900, 0.5))), replace(frame, beyond=80)) == ("left", 12, 0)


def test_words_on_a_level_stand_at_its_left_unless_a_curve_runs_there() -> None:
    frame = Frame((1, 1000), (0, 1), 500, 200, log_y=False)
    rising = LineEnd(((1, 0.3), (8, 0.9), (1000, 0.95)), "n = 16", "#000000", bold=False)
    free = Room(frame, []).words(0.5, "good enough: 0.55", "#000000", "y")
    assert (free["xshift"], free["yanchor"]) == (8, "bottom")
    beside = Room(frame, [rising]).words(0.5, "good enough: 0.55", "#000000", "y")
    assert beside["xshift"] > 100
    assert Room(replace(frame, width=90), [rising]).words(0.5, "good enough: 0.55", "#000000", "y")["xshift"] == 8


def test_names_at_line_ends_keep_clear_of_the_words_on_a_level() -> None:
    frame = Frame((1, 1000), (0, 1), 500, 200, log_y=False)
    room = Room(frame, [LineEnd(((1, 0.5), (1.2, 0.5)), "n = 16", "#000000", bold=False)], [0.5])
    words = room.words(0.5, "held-out control: 0.1 %", "#000000", "y")
    (name,) = room.labels("y")
    assert (words["yanchor"], name["yshift"]) == ("bottom", -15)


def test_where_the_time_axis_stands_right_below_no_words_go_under_the_panel() -> None:
    frame = Frame((1, 1000), (-0.03, 1.03), 200, 200, log_y=False)
    rising = LineEnd(((1, 0.05), (1000, 0.06)), "n = 16", "#000000", bold=False)
    assert Room(frame, [rising]).words(0.0, "control: 0.1 %", "#000000", "y")["yanchor"] == "top"
    assert Room(replace(frame, floor=True), [rising]).words(0.0, "control: 0.1 %", "#000000", "y")["yanchor"] == "bottom"


def test_names_that_would_stand_on_something_are_left_out_where_that_is_asked_for() -> None:
    frame = Frame((1, 1000), (0, 1), 90, 200, log_y=False)
    full = [LineEnd(((1, height / 40), (1000, height / 40)), "n = 16, W = 32", "#000000", bold=False) for height in range(41)]
    assert len(end_labels(full, frame, "y")) == 21, "those that end together share one"
    assert end_labels(full, frame, "y", sparing=True) == []
    assert [item["text"] for item in end_labels(full[:1], replace(frame, beyond=120), "y", sparing=True)] == ["n = 16, W = 32"]


def test_a_print_has_no_rail_so_its_control_stands_above_the_time_axis() -> None:
    view = world.finished()
    words = [item for item in figure(view, print_mm=85)["layout"]["annotations"] if "control:" in item["text"]]
    assert [item["yanchor"] for item in words] == ["bottom"]


def test_words_on_what_copiers_score_stand_below_one_another_where_their_lines_are_close() -> None:
    shifts = words_apart([100.0, 98.0, 97.0, 40.0])
    places = [height + shift for height, shift in zip([100.0, 98.0, 97.0, 40.0], shifts, strict=True)]
    assert shifts[0] == shifts[-1] == 0
    assert all(above - below >= 15 for above, below in itertools.pairwise(places))
