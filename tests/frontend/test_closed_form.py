"""The page of a closed form: curves beside a loop's points, what eigenvalues add, the map over both ratios, and the spectrum."""

import math
from typing import Any

import pytest

from frontend.charts.figure import ViewOptions
from frontend.charts.groups import group_runs
from frontend.charts.law import law_figure
from frontend.closed_form_view import closed_view, map_times
from frontend.markup.alternative import plain
from frontend.markup.closed_form import bulk_table
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.theme import LIGHT
from tauscope.theory.rf_model import RandomFeatures
from tauscope.theory.rf_spectrum import Spectrum
from tests.frontend import fake_closed as fake
from tests.frontend import fake_world as world


def shown(name: str, query: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    view = fake.made(name)
    return closed_view(view, fake.curves(view), ViewOptions(**options), query or {})


def test_the_closed_form_is_a_line_with_its_interval_and_the_loop_is_points_on_it() -> None:
    data = shown("rf-curves")["figures"]["curves"]["data"]
    lines = {trace["meta"]["line"]: trace for trace in data if "meta" in trace and not trace["meta"]["loop"]}
    points = {trace["meta"]["line"]: trace for trace in data if "meta" in trace and trace["meta"]["loop"]}
    assert list(lines) == list(points) == ["E_score", "test loss", "training loss"]
    assert {trace["mode"] for trace in lines.values()} == {"lines"} and {trace["mode"] for trace in points.values()} == {"markers"}
    assert len([trace for trace in data if trace.get("fill") == "tonexty"]) == 3
    assert lines["E_score"]["text"][0].endswith("3 draws")


def test_without_a_loop_there_are_no_points() -> None:
    data = shown("rf-map")["figures"]["curves"]["data"]
    assert not [trace for trace in data if trace.get("meta", {}).get("loop")]


def test_groups_of_eigenvalues_add_up_to_the_test_loss() -> None:
    figures = shown("rf-map")["figures"]
    modes = [trace["y"] for trace in figures["modes"]["data"] if "meta" in trace]
    loss = next(trace["y"] for trace in figures["curves"]["data"] if trace.get("meta", {}).get("line") == "test loss")
    assert [1 + sum(parts) for parts in zip(*modes, strict=True)] == pytest.approx(loss)


def test_bulks_that_are_foretold_stand_upright_in_both_figures_and_in_a_table_with_their_part_of_the_gap() -> None:
    view = fake.made("rf-curves")
    run = view.runs[0]
    shown_view = closed_view(view, fake.curves(view), ViewOptions(), {"run": run.id})
    spectrum = Spectrum.of(RandomFeatures(4, 1, 8, 0.1))
    taus = [spectrum.timescale(bulk.median) for bulk in reversed(spectrum.bulks)]
    for part in ("curves", "modes"):
        layout = shown_view["figures"][part]["layout"]
        assert [shape["x0"] for shape in layout["shapes"] if shape.get("line", {}).get("dash") == "dash"] == pytest.approx(taus)
        assert len([item for item in layout["annotations"] if item["text"].endswith("<br>foretold")]) == len(taus)
    for table in (plain(shown_view["table"]), plain(join(bulk_table(run, fake.curves(view), {"psi_p": 4, "psi_n": 1})))):
        assert "part of the final gap (95 %)" in table and "10 % (8.0 to 12 %)" in table and "mean of 3 draws" in table
    few = next(run for run in view.runs if run.params["psi_n"] == 4)
    assert "final gap" not in plain(closed_view(view, fake.curves(view), ViewOptions(), {"run": few.id})["table"])


def test_where_no_bulk_is_foretold_the_page_says_why() -> None:
    view = fake.made("rf-map")
    run = next(run for run in view.runs if run.params == {"psi_n": 4, "psi_p": 1})
    words = plain(closed_view(view, fake.curves(view), ViewOptions(), {"run": run.id})["table"])
    assert "None is foretold: psi_p = 1 is below 1 + psi_n = 5, so training points have no direction of their own." in words


def test_the_map_shows_every_run_at_the_time_asked_for() -> None:
    (found,) = shown("rf-map", {"map": "score_error", "at": "100"})["figures"]["map"]["data"]
    assert [len(row) for row in found["z"]] == [3, 3, 3]
    view = fake.made("rf-map")
    run = next(run for run in view.runs if run.params == {"psi_n": 4, "psi_p": 1})
    series = fake.curves(view).runs[run.id]["score_error"]
    assert found["z"][0][2] == pytest.approx(math.log10(series.value[series.step.index(100)] or 0))
    assert found["customdata"][0][2].startswith("ψₙ 4, ψₚ 1<br>E_score <b>")
    assert found["customdata"][0][2].endswith("3 draws, told at τ 100")
    assert map_times(view) == {
        "1": "Map at τ 1",
        "10": "Map at τ 10",
        "100": "Map at τ 100",
        "1000": "Map at τ 1,000",
        "10000": "Map at τ 10,000",
    }
    assert not map_times(fake.made("rf-curves")) and "map" not in shown("rf-curves")["figures"]


def test_the_spectrum_names_its_bulks_and_tells_masses_distance_and_count() -> None:
    view = shown("rf-spectrum")
    assert list(view["figures"]) == ["density"]
    words = [item["text"] for item in view["figures"]["density"]["layout"]["annotations"]]
    assert words[1:] == ["population<br>τ 71.8", "training points<br>τ 8,263", "noise<br>τ 293,784"]
    said = plain(view["finding"])
    assert "85.94 % of the eigenvalues, and 3 bulks with 14.06 %, which must be 14.06 %" in said
    assert "by 2.5 % (2.1 % to 2.9 %) of that mass, over 4 draws" in said
    assert "7.000" in plain(view["table"])


def test_only_experiments_with_a_closed_form_have_its_tab() -> None:
    assert "Closed form" in plain(header(fake.made("rf-map"), tab="experiment"))
    assert "Closed form" not in plain(header(world.finished("demo"), tab="experiment"))


def test_what_trains_nothing_has_no_watch_page_nothing_to_extend_and_no_figure_of_training() -> None:
    shown_there = plain(header(fake.made("rf-spectrum"), tab="closed"))
    assert "Watch" not in shown_there and "Extend" not in shown_there and "psi_p = 64, psi_n = 8, d = 100" in shown_there
    assert "Figure 2" not in plain(shown("rf-spectrum")["table"]) and "Figure 2" in plain(shown("rf-curves")["table"])


def test_the_law_over_points_per_dimension_goes_through_the_onsets_at_their_n() -> None:
    view = fake.made("rf-curves")
    assert view.fits["tau_mem_vs_n"].exponent is not None
    figure = law_figure(group_runs(view, LIGHT), view.fits, ViewOptions(), height=400)
    dots = [(x, y) for trace in figure["data"] if trace.get("mode") == "markers" for x, y in zip(trace["x"], trace["y"], strict=True)]
    lines = [trace for trace in figure["data"] if trace.get("mode") == "lines" and len(trace["x"]) == 41]
    assert sorted({x for x, _ in dots}) == [8, 16, 32] and lines
    least = min(min(abs(math.log(y / v)) for x, v in zip(line["x"], line["y"], strict=True)) for line in lines for _, y in dots if y)
    assert least < 0.1
