"""The phase page: a tile for each cell, told apart without colour, and nothing drawn where there is no diagram."""

from typing import Any

import pytest

from frontend.charts.figure import ViewOptions
from frontend.charts.phase import HATCHES, LETTERS
from frontend.markup.alternative import plain
from frontend.phase_view import phase_view
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.phase import CellState, PhaseDiagram
from tests.frontend import fake_phase
from tests.frontend import fake_world as world
from tests.frontend.fake_widths import over_widths


def found(experiment: ExperimentView) -> PhaseDiagram:
    curves = fake_phase.curves(experiment) if experiment.id in fake_phase.EXPERIMENTS else world.curves_of(experiment)
    return fake_phase.diagram(experiment, curves)


def shown(experiment: ExperimentView, cell: str | None = None, **options: Any) -> dict[str, Any]:
    return phase_view(experiment, found(experiment), ViewOptions(**options), cell)


def traces(view: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [trace for trace in view["figures"]["phase"]["data"] if name in trace.get("meta", {})]


@pytest.fixture(scope="module")
def phases() -> ExperimentView:
    return fake_phase.phases("phases")


def test_every_cell_is_a_tile_with_its_word_and_states_are_told_apart_without_colour(phases: ExperimentView) -> None:
    view, cells = shown(phases), found(phases).cells
    tiles = traces(view, "cell")
    assert [tile["meta"]["state"] for tile in tiles] == [str(cell.state) for cell in cells]
    words = [plain(item["text"]) for item in view["figures"]["phase"]["layout"]["annotations"][1:]]
    assert all(word.startswith(str(cell.state)) for word, cell in zip(words, cells, strict=True))
    looks = {state: (HATCHES.get(state), LETTERS[state]) for state in CellState}
    assert len(set(looks.values())) == len(CellState)
    assert {tile["fillpattern"]["shape"] for tile in tiles if tile["meta"]["state"] == "memorizes"} == {"/"}


def test_tiles_meet_at_the_geometric_middle_and_axes_end_with_them(phases: ExperimentView) -> None:
    tiles = {tile["meta"]["cell"]: tile for tile in traces(shown(phases), "cell")}
    assert max(tiles["16x44969"]["x"]) == pytest.approx((16 * 32) ** 0.5, rel=0.02)
    assert min(tiles["32x44969"]["x"]) == pytest.approx((16 * 32) ** 0.5, rel=0.02)
    axis = shown(phases)["figures"]["phase"]["layout"]["xaxis"]
    assert axis["type"] == "log" and 10 ** axis["range"][1] == pytest.approx(128 * 2**0.5)


def test_a_known_boundary_is_a_bracket_and_an_open_end_an_arrow(phases: ExperimentView) -> None:
    drawn = [trace for trace in traces(shown(phases), "boundary") if trace["meta"]["boundary"] == "plateau"]
    (known,) = [trace for trace in drawn if trace["meta"]["identified"]]
    assert known["x"] == [32, 64] and known["marker"]["symbol"] == ["line-ns", "line-ns"]
    assert [trace["marker"]["symbol"][1] for trace in drawn if trace != known] == ["triangle-right"] * 2
    assert all(trace["x"][0] > 8 / 2**0.5 and trace["x"][1] < 128 * 2**0.5 for trace in traces(shown(phases), "boundary"))


def test_on_a_phone_a_letter_stands_for_the_word_and_the_key_says_which(phases: ExperimentView) -> None:
    view = shown(phases, width=390)
    words = {plain(item["text"]).rstrip("?…") for item in view["figures"]["phase"]["layout"]["annotations"][1:]}
    assert words <= set(LETTERS.values())
    assert all(f"<b>{letter}</b> {state}" in view["keys"] for state, letter in LETTERS.items())


def test_the_finding_counts_states_and_says_where_n_star_is_known(phases: ExperimentView) -> None:
    said = plain(shown(phases)["finding"])
    assert said.startswith("15 cells: 5 memorize, 7 have a window, 1 is censored, 2 are plateaus.")
    assert "n* at p = 44,969: 32 to 64." in said and "n*(p) is not identified at 2 of 3 values of p." in said
    assert "nothing here supports generalization by architecture" in plain(shown(over_widths("widths"))["finding"])


def test_a_chosen_cell_gives_its_numbers_and_leads_to_the_curves_of_its_runs(phases: ExperimentView) -> None:
    view, cell = shown(phases, "64x44969"), next(c for c in found(phases).cells if (c.n, c.width) == (64, 8))
    assert "times the upper end of the predicted τ_mem" in plain(view["cell"])
    assert f"/compare?runs={cell.runs[0]}" in view["cell"]
    assert [tile["line"]["width"] for tile in traces(view, "cell")].count(3) == 1
    assert shown(phases, "1x1")["cell"] == ""


def test_the_tables_hold_every_cell_with_its_reason_and_every_boundary(phases: ExperimentView) -> None:
    table, diagram = plain(shown(phases)["table"]), found(phases)
    assert all(cell.reason.replace("tau_", "τ_") in table for cell in diagram.cells)
    assert table.count("not identified") >= sum(not item.identified for item in diagram.boundaries)


def test_a_live_cell_says_so_far(phases: ExperimentView) -> None:
    live = fake_phase.phases_live("phases-live")
    view = shown(live)
    assert view["live"] and "so far" in view["table"]
    assert not shown(phases)["live"]


@pytest.mark.parametrize(("experiment", "words"), [(world.finished(), "one p, 176,849"), (world.queued("empty"), "one p")])
def test_without_several_n_and_p_nothing_is_drawn_and_the_reason_is_said(experiment: ExperimentView, words: str) -> None:
    view = shown(experiment)
    assert view["figures"] == {} and words in plain(view["finding"])
    assert "Every cell" in view["table"] and "Download" not in view["table"]
    assert 'href="/phase' not in shown_elsewhere(experiment)


def shown_elsewhere(experiment: ExperimentView) -> str:
    from frontend.markup.header import header

    return header(experiment, tab="experiment")
