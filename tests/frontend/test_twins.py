"""tau_split as it is drawn and told: never without interval and count, and never as a value where it is not known."""

from typing import Any

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import ViewOptions
from frontend.charts.groups import focused, group_runs
from frontend.markup.keys import mark_keys
from frontend.markup.side import focus_card, onset_table
from frontend.twin_view import twin_view
from tests.frontend import fake_twins
from tests.frontend import fake_world as world

OPTIONS = ViewOptions()


def marks(figure: dict[str, Any], name: str = "tau_split") -> list[dict[str, Any]]:
    return [trace for trace in figure["data"] if trace.get("meta", {}).get("onset") == name]


def test_tau_split_stands_on_the_time_axis_as_a_third_kind_of_mark_or_as_an_arrow() -> None:
    view = fake_twins.twins()
    drawn = marks(experiment_figure(view, fake_twins.curves(view), OPTIONS))
    reached = [mark for mark in drawn if mark["meta"]["status"] == "reached"]
    assert [(mark["marker"]["symbol"], mark["x"]) for mark in reached] == [("square", [58])] * 2, "both of a pair"
    assert {(mark["error_x"]["array"][0], mark["error_x"]["arrayminus"][0]) for mark in reached} == {(33, 22)}
    arrows = [mark for mark in drawn if mark["meta"]["status"] == "arrow"]
    assert len(arrows) == 2 and len({mark["x"][0] for mark in arrows}) == 1, "from the last step that both of the other pair have"
    assert marks(experiment_figure(world.finished(), world.curves_of(world.finished()), OPTIONS)) == []


def test_the_onset_table_has_a_column_for_tau_split_where_there_are_twins() -> None:
    view = fake_twins.twins()
    curves, groups = fake_twins.curves(view), group_runs(view, OPTIONS.palette)
    told = onset_table(view, curves, groups, None)
    assert "16, twin" in told and "subset" not in told, "rows have little room"
    assert "τ<sub>split</sub>" in told and "36 to 91" in told and "no fall by 24" in told
    assert "agreement with the twin at index 300 (alpha_bar 0.394) at its highest" in told
    assert "it was not compared" not in told
    assert "split" in mark_keys(view, curves, OPTIONS)
    alone = world.finished()
    assert "split" not in onset_table(alone, world.curves_of(alone), group_runs(alone, OPTIONS.palette), None)
    assert "split" not in mark_keys(alone, world.curves_of(alone), OPTIONS)


def test_one_click_adds_the_twin_and_leads_to_one_that_is_there() -> None:
    groups = group_runs(fake_twins.twins(), OPTIONS.palette)
    with_twin, without = focused(groups, "16"), focused(groups, "64")
    assert with_twin is not None and without is not None
    assert 'data-action="twin"' in focus_card(without) and "Its twin" not in focus_card(without)
    assert 'data-action="twin"' not in focus_card(with_twin) and "/run?id=twinsr3" in focus_card(with_twin)


def test_the_run_page_draws_the_agreement_with_its_interval_and_gives_every_number() -> None:
    view = fake_twins.twins()
    shown = twin_view(view, view.runs[0], fake_twins.curves(view), OPTIONS)
    line = next(trace for trace in shown["figure"]["data"] if trace.get("mode") == "lines+markers")
    assert line["text"][0].endswith("256 points") and "(" in line["text"][0]
    assert shown["figure"]["layout"]["yaxis"]["range"] == [0.0, 1.02], "1 and 0 mean something: the axis shows both"
    assert [mark["y"] for mark in marks(shown["figure"])] == [[0.9]]
    assert len(shown["figure"]["layout"]["shapes"]) == 2, "both onsets of the run"
    assert "58 (36 to 91)" in shown["regions"]["finding"]
    table = shown["regions"]["table"]
    assert "0: they have nothing in common" in table and "/run?id=twinsr3" in table
    assert f"curves.csv?metrics={fake_twins.METRIC}" in table


def test_a_pair_that_has_not_met_is_told_in_words_without_a_figure() -> None:
    view = fake_twins.twins()
    run = view.runs[0].model_copy(update={"markers": {}})
    shown = twin_view(view, run, None, OPTIONS)
    assert shown["figure"] is None
    assert shown["regions"]["finding"] == "τ<sub>split</sub> is not known: nothing was measured yet."
    assert "it appears where both have come" in shown["regions"]["table"]


def test_a_pair_that_still_rises_is_an_arrow_and_words() -> None:
    view = fake_twins.twins()
    shown = twin_view(view, view.runs[1], fake_twins.curves(view), OPTIONS)
    assert [mark["meta"]["status"] for mark in marks(shown["figure"])] == ["arrow"]
    assert "no fall by 24 (censored)" in shown["regions"]["finding"]


def test_on_a_phone_a_row_that_is_no_seed_of_the_one_above_drops_what_does_not_fit() -> None:
    view = fake_twins.twins()
    for width, name in ((390, "32, twin"), (1200, "n = 32, twin")):
        made = experiment_figure(view, fake_twins.curves(view), ViewOptions(width=width))
        assert name in [item["text"] for item in made["layout"]["annotations"] if item["xanchor"] == "right"]
