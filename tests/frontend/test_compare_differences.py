"""What two experiments do not share: metrics that only share a name, and settings, told by experiment."""

from typing import Any

import pytest

from frontend.charts.compared import compared_lines, merged
from frontend.charts.definitions import measured_otherwise, not_measured
from frontend.charts.figure import ViewOptions
from frontend.comparison import Comparison, Part
from frontend.markup.alternative import plain
from frontend.markup.compare import compare_finding, compare_notices, result_table
from frontend.markup.differences import columns_of, difference_table, differences, value_text
from frontend.theme import LIGHT
from tauscope.contracts.experiments import ExperimentView
from tests.frontend import fake_compared
from tests.frontend import fake_world as world
from tests.frontend.compared import LOSS, drawn, figure, texts
from tests.frontend.test_run_names import view_of


def test_a_metric_that_only_shares_its_name_is_marked_and_explained() -> None:
    parts, lines, curves = drawn(world.finished(), fake_compared.wide())
    otherwise = measured_otherwise(lines, LOSS)
    assert set(otherwise) == {line.key for line in lines if line.part.letter == "B"}
    assert "Diffusion steps: 500, not 1000" in otherwise["B/wider0"]
    notices = compare_notices(Comparison(parts), lines, curves, LOSS, ViewOptions())
    assert "measured otherwise than in A n = 16, so the values are not one quantity" in notices
    assert "† measured otherwise" in texts(figure(world.finished(), fake_compared.wide()))
    assert measured_otherwise(drawn(world.finished(), fake_compared.seeds())[1], LOSS) == {}


@pytest.mark.parametrize(
    ("change", "metric", "said"),
    [
        ({"n_generated": 1000}, "f_mem", "Samples each: 1000, not 384"),
        ({"n_generated": 1000}, LOSS, None),
        ({"loss_pairs": 64}, LOSS, "Loss pairs: 64, not 512"),
        ({"loss_pairs": 64}, "f_mem", None),
        ({"frechet_components": 8}, "frechet_pca", "Principal components: 8, not 16"),
        ({"frechet_components": 8}, "f_mem", None),
        ({"schedule": {"kind": "log_spaced", "first": 3, "count": 9}}, "f_mem", None),
    ],
)
def test_what_decides_the_meaning_of_a_metric_is_told_and_what_does_not_is_not(
    change: dict[str, Any], metric: str, said: str | None
) -> None:
    _, lines, _ = drawn(world.finished(), with_measurement(**change))
    found = measured_otherwise(lines, metric)
    assert found == {} if said is None else all(said in why for why in found.values()) and len(found) == 3


def with_measurement(**change: Any) -> ExperimentView:
    view = world.finished("other")
    base = view.sweep["base"]
    return view.model_copy(update={"sweep": view.sweep | {"base": base | {"measurement": base["measurement"] | change}}})


def test_another_data_set_is_another_quantity_and_another_n_is_not() -> None:
    view = world.finished("other")
    base = view.sweep["base"]
    faces = base | {"dataset": {"name": "celeba", "size": 32, "n_train": 64}}
    _, lines, _ = drawn(world.finished(), view.model_copy(update={"sweep": view.sweep | {"base": faces}}))
    assert all("Data set: celeba, not digits" in why for why in measured_otherwise(lines, "f_mem").values())
    _, alone, _ = drawn(world.finished())
    assert measured_otherwise(alone, "f_mem") == {}


def test_a_loss_at_an_index_that_one_side_does_not_measure_is_said_to_be_missing() -> None:
    parts, lines, curves = drawn(world.finished(), with_measurement(loss_indices=[10, 100, 200]))
    assert {line.part.letter for line in not_measured(lines, "loss_held_out@200")} == {"A"}
    assert "not measured in A n = 16, 32, 64" in compare_notices(Comparison(parts), lines, curves, "loss_held_out@200", ViewOptions())


def test_levels_that_differ_are_named_by_experiment() -> None:
    view = world.finished("other")
    base = view.sweep["base"]
    onsets = base["onsets"] | {"tau_mem": {"metric": "f_mem", "level": 0.5}}
    made = figure(world.finished(), view.model_copy(update={"sweep": view.sweep | {"base": base | {"onsets": onsets}}}))
    assert "copying level: 25 % in A" in texts(made)
    assert "copying level: 50 % in B" in texts(made)
    assert "good enough: 0.55" in texts(made)


def test_only_settings_that_differ_stand_in_the_table_under_their_titles_and_the_rest_is_counted() -> None:
    _, lines, _ = drawn(world.finished(), fake_compared.wide())
    differing, agreeing = differences(columns_of(lines))
    titles = {item.title: item.cells for item in differing}
    assert titles["Optimizer · Learning rate"] == ("0.002",) * 3 + ("0.001",) * 3
    assert titles["Data · Training images n, images"] == ("16", "32", "64") * 2
    assert titles["Training steps, steps"] == ("450", "1,100", "2,400") * 2
    assert "Batch, images" in {item.title for item in agreeing}
    assert f"{len(agreeing)} more fields agree" in difference_table(lines)


def test_the_values_of_seeds_stand_in_one_cell_and_many_lines_share_a_column_by_experiment() -> None:
    _, lines, _ = drawn(fake_compared.seeds(), world.finished())
    seeds = next(item for item in differences(columns_of(lines))[0] if item.title == "Seeds")
    assert seeds.cells == ("1, 2, 3, 4", "1, 2, 3, 4", "4", "4", "4")
    _, many, _ = drawn(fake_compared.seeds(), world.finished(), apart=True)
    assert [column.heading for column in columns_of(many)] == ["A, 8 runs", "B, 3 runs"]


def test_runs_that_differ_in_nothing_are_said_to() -> None:
    _, lines, _ = drawn(world.finished(), world.finished("again"), runs=("demor0", "againr0"))
    assert "Every setting agrees" in difference_table(lines)
    assert "no setting differs" in compare_finding(lines)


def test_a_run_that_was_extended_is_compared_by_the_steps_it_has_now() -> None:
    view = world.finished()
    longer = view.runs[0].model_copy(update={"steps": 900})
    _, lines, _ = drawn(view.model_copy(update={"runs": (longer, *view.runs[1:])}), world.finished("again"), runs=("demor0", "againr0"))
    assert [item.cells for item in differences(columns_of(lines))[0]] == [("900", "450")]


def test_another_code_version_is_a_difference() -> None:
    newer = world.finished("newer").model_copy(update={"code_version": "0.2.0"})
    _, lines, _ = drawn(world.finished(), newer, runs=("demor0", "newerr0"))
    assert [(item.title, item.cells) for item in differences(columns_of(lines))[0]] == [("Code version", ("0.1.0", "0.2.0"))]


def test_a_configuration_of_another_version_is_shown_as_stored_with_a_word_about_it() -> None:
    view = world.finished("old")
    old = view.model_copy(update={"sweep": view.sweep | {"base": view.sweep["base"] | {"kind": "gone"}}})
    _, lines, _ = drawn(world.finished(), old)
    assert "The configuration of B is of another version" in difference_table(lines)


@pytest.mark.parametrize("value", [0.1, 0.9995, 1e-07, 2, True, None, (1, 2), "a"])
def test_two_settings_that_differ_never_read_alike(value: Any) -> None:
    others = [0.1 + 1e-9, 0.9999, 1.1e-07, 3, False, "None", (1, 3), "b"]
    assert value_text(value) not in {value_text(other) for other in others}


def test_settings_that_differ_in_how_samples_are_drawn_are_told_in_one_sentence_for_all_values_and_metrics() -> None:
    view = view_of("gmm-conditional")
    curves = merged((part := Part("A", view, frozenset(run.id for run in view.runs)),), {view.id: world.curves_of(world.finished("demo"))})
    lines = compared_lines((part,), curves, LIGHT, seeds_apart=False)
    notices = plain(compare_notices(Comparison((part,)), lines, curves, "energy_distance", ViewOptions()))
    assert notices.count("measured otherwise than in guidance = 0") == 1
    assert "guidance = 1, 2, 3, 5: " in notices and "Guidance w: 1, 2, 3, 5, not 0." in notices


def test_an_onset_is_defined_by_its_own_metric_and_not_by_f_mem_where_it_is_another() -> None:
    view = view_of("gmm-minute")
    curves = merged((part := Part("A", view, frozenset(run.id for run in view.runs)),), {view.id: world.curves_of(world.finished("demo"))})
    words = plain(result_table(compared_lines((part,), curves, LIGHT, seeds_apart=False), curves, lambda run: None))
    assert "projection order parameter alpha at index 150 (alpha_bar 0.786) first at or above 0.2" in words
    assert "minus control first" not in words
