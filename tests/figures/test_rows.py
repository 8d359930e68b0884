"""What a figure draws: intervals, controls and counts stand beside every number, and what was not reached has none."""

import csv
import io
import math
import zipfile
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from tauscope.analysis.scaling import fit_sweep
from tauscope.contracts.summary import RunSummary
from tauscope.figures.caption import caption, plain
from tauscope.figures.figure2 import figure_2
from tauscope.figures.figure3 import figure_3
from tauscope.figures.naming import configuration_hash
from tauscope.figures.render import facts, render
from tauscope.figures.rows import Panel, Plan, Row, as_csv, as_parquet, table
from tauscope.figures.source import FigureOptions, FigureRun
from tauscope.metrics.intervals import mean_interval
from tauscope.specs import SpecError
from tests.figures.made import STEPS, made


def panel(plan: Plan, letter: str) -> Panel:
    return next(item for item in plan.panels if item.letter == letter)


def two(**options: object) -> Plan:
    return figure_2(made(**options), FigureOptions())  # type: ignore[arg-type]


def three(**options: object) -> Plan:
    return figure_3(made(**options), FigureOptions())  # type: ignore[arg-type]


def test_every_point_of_a_curve_has_its_interval_and_its_count() -> None:
    rows = [row for item in two().panels for row in item.of("curve", "control")]
    assert len(rows) == (1 + 2 + 2) * 3 * len(STEPS)
    assert all(row.y is not None and row.y_low is not None and row.y_high is not None for row in rows)
    assert {row.count for row in rows} == {384, 512, 1000}


def test_a_run_whose_control_is_missing_is_named_and_not_drawn() -> None:
    data = made()
    first = data.runs[0]
    bare = replace(first, series={name: series for name, series in first.series.items() if name != "f_mem_control"})
    shown = panel(figure_2(replace(data, runs=(bare, *data.runs[1:])), FigureOptions()), "b")
    assert 16 not in {row.n_train for row in shown.of("curve")}
    assert "the control is missing: 00" in shown.note


def test_the_quality_panel_draws_the_metric_that_defines_tau_gen_with_its_level() -> None:
    shown = panel(two(), "a")
    assert {row.quantity for row in shown.of("curve")} == {"loss_held_out@100"}
    assert [row.y for row in shown.of("level")] == [0.55]
    assert "Mean squared error" in shown.definition


def test_a_frechet_distance_stands_between_its_floor_and_what_a_copier_scores_and_is_never_called_fid() -> None:
    plan = figure_2(made(), FigureOptions(quality="frechet_pca"))
    shown = panel(plan, "a")
    assert {row.quantity for row in shown.of("reference")} == {"frechet_pca_floor", "frechet_pca_train"}
    assert not shown.of("level", "onset")
    assert "Fréchet" in shown.title
    assert "Not an FID" in shown.definition


def test_a_quality_that_is_not_measured_is_refused_with_those_that_are() -> None:
    with pytest.raises(SpecError, match="frechet_pca") as caught:
        figure_2(made(), FigureOptions(quality="fid"))
    assert "quality" in str(caught.value)


def test_three_seeds_are_their_mean_with_a_student_interval_over_runs() -> None:
    data = made((16, 32), seeds=(1, 2, 3))
    rows = [row for row in panel(figure_2(data, FigureOptions()), "b").of("curve") if row.n_train == 16]
    assert len(rows) == len(STEPS)
    assert {row.runs for row in rows} == {3}
    at = STEPS.index(320)
    values = np.array([run.series["f_mem"].value[at] for run in data.runs if run.n_train == 16], dtype=float)
    mean, low, high = mean_interval(values)
    assert (rows[at].y, rows[at].y_low, rows[at].y_high) == pytest.approx((mean, max(low, 0), min(high, 1)))


def test_two_seeds_are_drawn_one_by_one_and_the_figure_says_what_their_intervals_leave_out() -> None:
    plan = two(sizes=(16, 32), seeds=(1, 2))
    assert {row.runs for row in panel(plan, "b").of("curve")} == {1}
    assert "one by one" in plan.notes[0]
    assert "not the spread between runs" in two().notes[0]


def test_a_figure_says_how_many_of_its_runs_are_twins() -> None:
    data = made((16, 32), seeds=(2, 3, 4))
    twin = next(run for run in data.runs if run.n_train == 16 and run.spec["seed"] == 3)
    twin = replace(twin, spec={**twin.spec, "dataset": {**twin.spec["dataset"], "subset": 1}})
    twinned = replace(data, runs=tuple(twin if run.id == twin.id else run for run in data.runs))
    assert "twins" not in figure_2(data, FigureOptions()).notes[0]
    assert figure_2(twinned, FigureOptions()).notes[0].endswith("; 1 of the 6 are twins, on other images")


def test_a_mean_ends_where_one_of_its_runs_is_lost() -> None:
    data = made((16, 32), seeds=(1, 2, 3), lost_from=320)
    rows = [row for row in panel(figure_2(data, FigureOptions()), "a").of("curve") if row.n_train == 32]
    assert max(row.x or 0 for row in rows) == 160


def test_the_inset_over_tau_over_n_is_f_mem_minus_control_at_the_scaled_time() -> None:
    inset = panel(figure_2(made(), FigureOptions(exponent=1.3)), "b").inset
    assert inset is not None
    row = next(row for row in inset.rows if row.n_train == 32)
    assert row.x == pytest.approx(5 / 32**1.3)
    assert row.y == pytest.approx(-0.001)
    assert {row.x_quantity for row in inset.rows} == {"tau / n^1.3"}


def test_the_collapse_score_is_near_zero_where_curves_are_made_to_collapse_and_one_without_scaling() -> None:
    scaled, unscaled = (panel(figure_2(made(), FigureOptions(exponent=a)), "b").note for a in (1.0, 0.0))
    assert "collapse score 0.0" in scaled
    assert "collapse score 1.00" in unscaled


@pytest.mark.parametrize(("number", "field"), [(2, "x"), (3, "y")])
def test_an_onset_that_was_not_reached_has_a_bound_and_no_value(number: int, field: str) -> None:
    plan = two(upto=160, good=False) if number == 2 else three(upto=160, good=False)
    rows = [row for item in plan.panels for row in item.of("onset") if row.status == "censored"]
    assert rows
    assert all(getattr(row, field) is None and getattr(row, f"{field}_high") is None for row in rows)
    assert all(getattr(row, f"{field}_low") is not None for row in rows)
    assert any("not reached by the last checkpoint" in item.note for item in plan.panels)


def test_a_checkpoint_without_numbers_is_a_gap_that_is_named() -> None:
    shown = panel(two(lost_from=320), "b")
    assert {row.x for row in shown.of("missing")} == {320, 640, 1280, 2400}
    assert "diverged" in shown.note


def test_nothing_measured_yet_is_said_in_every_panel() -> None:
    for plan in (two(upto=0), three(upto=0)):
        assert all(item.empty for item in plan.panels)
        assert not plan.rows


def test_one_run_has_curves_and_no_law() -> None:
    assert panel(two(sizes=(32,)), "b").of("curve")
    assert panel(two(sizes=(32,)), "b").inset is None
    shown = panel(three(sizes=(32,)), "a")
    assert len(shown.of("onset")) == 2
    assert not shown.of("fit", "guide")
    assert "no law" in shown.note


def test_the_law_is_the_fit_of_the_library_for_each_width() -> None:
    data = made(widths=(8, 16))
    rows = panel(figure_3(data, FigureOptions()), "a").of("fit")
    for width in (8, 16):
        line = [row for row in rows if row.quantity == "tau_mem" and row.width == width]
        runs = [_summary(run) for run in data.runs if run.width == width]
        slope = math.log((line[-1].y or 0) / (line[0].y or 1)) / math.log((line[-1].x or 0) / (line[0].x or 1))
        assert slope == pytest.approx(fit_sweep(runs)["tau_mem_vs_n"].exponent)


def _summary(run: FigureRun) -> RunSummary:
    params = {"n_train": run.n_train, "seed": 1}
    return RunSummary(id=run.id, params=params, state="finished", onsets=dict(run.onsets), final={}, seconds=0)


def test_the_law_of_tau_gen_is_not_drawn_over_sizes_that_did_not_enter_it() -> None:
    data = made()
    bad = made(good=False)
    mixed = replace(data, runs=(bad.runs[0], *data.runs[1:]))
    sizes = [row.x for row in panel(figure_3(mixed, FigureOptions()), "a").of("fit") if row.quantity == "tau_gen"]
    assert min(size for size in sizes if size is not None) == pytest.approx(32)


def test_the_guide_has_slope_one() -> None:
    first, last = panel(three(), "a").of("guide")
    assert (last.y or 0) / (first.y or 1) == pytest.approx((last.x or 0) / (first.x or 1))


def test_the_phase_diagram_needs_a_sweep_over_n_and_width() -> None:
    assert panel(three(), "b").empty == "not measured: the runs have one p, 176,849: a diagram needs several of both"
    cells = panel(three(widths=(8, 16)), "b").of("cell")
    assert {(row.n_train, row.width) for row in cells} == {(n, width) for n in (16, 32, 64) for width in (8, 16)}


def test_a_cell_of_the_figure_has_the_state_that_the_analysis_gives_it_and_its_reason() -> None:
    def states(**options: object) -> set[str]:
        cells = panel(three(widths=(8, 16), **options), "b").of("cell")
        assert all(row.note for row in cells)
        return {row.status for row in cells}

    assert states() == {"window"}
    assert states(upto=80) == {"censored"}
    assert states(good=False) == {"memorizes"}
    assert states(upto=0) == {"undefined"}


def test_a_boundary_without_both_ends_is_a_row_that_says_so() -> None:
    found = panel(three(widths=(8, 16)), "b").of("boundary")
    assert {(row.quantity, row.width, row.status) for row in found} == {
        (kind, width, "not identified") for kind in ("window", "plateau") for width in (8, 16)
    }
    assert {row.x_low for row in found if row.quantity == "plateau"} == {64.0}


def test_the_table_beside_a_figure_has_a_row_for_everything_that_is_drawn() -> None:
    plan = two()
    made_by = {"configuration": "0a1b2c3d"}
    rows = list(csv.DictReader(io.StringIO(as_csv(plan.rows, made_by).decode())))
    assert len(rows) == len(plan.rows) == pq.read_table(io.BytesIO(as_parquet(plan.rows, made_by))).num_rows
    again = pq.read_table(io.BytesIO(as_parquet(plan.rows, made_by))).drop_columns("configuration").to_pylist()
    assert [Row(**row) for row in again] == list(plan.rows)


def test_a_zip_file_holds_figure_numbers_spec_and_caption() -> None:
    data = made()
    with zipfile.ZipFile(io.BytesIO(render(data, 3, "zip"))) as archive:
        endings = sorted(name.rpartition(".")[2] for name in archive.namelist())
        assert endings == ["csv", "parquet", "pdf", "png", "svg", "txt", "yaml"]
        assert "base_width" in archive.read("spec.yaml").decode()
        numbers, table = (next(archive.read(name) for name in archive.namelist() if name.endswith(end)) for end in (".csv", ".parquet"))
    assert numbers == as_csv(figure_3(data, FigureOptions()).rows, facts(data, FigureOptions()))
    configuration = configuration_hash(data.sweep)
    assert {row["configuration"] for row in csv.DictReader(io.StringIO(numbers.decode()))} == {configuration}
    told = pq.read_schema(io.BytesIO(table)).metadata
    assert told[b"configuration"].decode() == configuration and {b"experiment", b"code version", b"numbers of"} <= set(told)


def test_the_caption_defines_every_panel_and_names_the_configuration() -> None:
    data = made()
    words = caption(figure_2(data, FigureOptions()), facts(data, FigureOptions()))
    for expected in ("(a)", "(b)", "(c)", "(d)", "Clopper-Pearson", "one run per n", facts(data, FigureOptions())["configuration"]):
        assert expected in words
    assert "$" not in words
    assert plain(r"$\tau_\mathrm{gen}$ ~ $n^{1.30}$") == "tau_gen ~ n^1.30"


def test_other_settings_are_left_out_of_figure_2_and_named() -> None:
    plan = two(widths=(8, 16))
    assert {row.run for row in panel(plan, "b").of("curve")} == {"00", "02", "04"}
    assert "one of 2 settings" in plan.notes[1]


def test_a_table_of_nothing_has_its_columns() -> None:
    assert "y_low" in table([], {"configuration": ""}).column_names


@pytest.mark.parametrize(("options", "field"), [({"width_mm": 100}, "width"), ({"exponent": -1.0}, "a")])
def test_what_cannot_be_drawn_is_refused_by_name(options: dict[str, float], field: str) -> None:
    with pytest.raises(SpecError, match=field):
        FigureOptions(**options)  # type: ignore[arg-type]
