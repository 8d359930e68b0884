"""The score page: for each n three curves over the training points, E_score and what is copied below, and what the slider moves through."""

from typing import Any

import pytest

from frontend.charts.figure import ViewOptions
from frontend.markup.alternative import plain
from frontend.markup.header import header
from frontend.score_view import score_view, seed_choices, shown_runs
from tauscope.contracts.experiments import ExperimentView
from tests.frontend import fake_scores as fake
from tests.frontend import fake_world as world

VIEW = fake.one_dimensional("scores")


def shown(query: dict[str, str] | None = None, *, view: ExperimentView = VIEW, **options: Any) -> dict[str, Any]:
    scores = {run.id: fake.scores(run) for run in view.runs}
    return score_view(view, fake.curves(view), scores, ViewOptions(**options), query or {})


def curves(view: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [trace for trace in view["figures"]["scores"]["data"] if trace.get("meta", {}).get("curve") == name]


def titles(view: dict[str, Any]) -> list[str]:
    return [plain(item["text"]) for item in view["figures"]["scores"]["layout"]["annotations"]]


def test_every_n_has_a_panel_with_the_learned_score_between_the_exact_ones() -> None:
    view = shown({"at": "400"})
    for name in ("learned", "population", "empirical", "training", "density"):
        assert len(curves(view, name)) == 2
    learned, population = curves(view, "learned")[0], curves(view, "population")[0]
    row = fake.STEPS.index(400)
    assert tuple(learned["y"]) == fake.scores(VIEW.runs[0]).learned[row]
    assert tuple(population["y"]) == fake.exact(16).population
    assert [trace["xaxis"] for trace in curves(view, "learned")] == ["x", "x2"]
    assert view["figures"]["scores"]["layout"]["yaxis2"]["matches"] == "y"


def test_training_points_stand_on_the_axis_where_the_empirical_score_has_its_centres() -> None:
    (few, many) = curves(shown(), "training")
    assert (len(few["x"]), len(many["x"])) == (16, 48)
    assert few["x"][0] == pytest.approx(fake.exact(16).alpha_bar ** 0.5 * fake.exact(16).training[0])


def test_a_panel_says_its_training_time_and_e_score_with_the_interval() -> None:
    assert titles(shown({"at": "400"}))[0] == "n = 16, τ = 400, E_score 0.23 (0.211 to 0.248)"
    # Between two checkpoints it is the last one that counts.
    assert titles(shown({"at": "410"}))[0].startswith("n = 16, τ = 400")
    assert titles(shown())[0].startswith("n = 16, τ = 4,000")
    assert titles(shown({"at": "3"}))[0] == "n = 16, no checkpoint up to τ = 3"
    assert titles(shown({"at": "400"}, width=390))[0] == "n = 16, τ = 400"


def test_what_the_slider_moves_through_is_every_checkpoint_of_every_panel() -> None:
    frames = shown()["frames"]
    assert frames["steps"] == list(fake.STEPS)
    for run in VIEW.runs:
        assert frames["rows"][run.id] == list(range(len(fake.STEPS)))
        assert len(frames["learned"][run.id]) == len(fake.STEPS)
        assert [plain(words) for words in frames["titles"][run.id]][8].startswith(f"n = {run.n_train}, τ = 400")


def test_a_run_that_is_behind_shows_the_last_checkpoint_it_has() -> None:
    behind = VIEW.runs[0].model_copy(update={"step": 100})
    view = shown({"at": "400"}, view=VIEW.model_copy(update={"runs": (behind, VIEW.runs[1])}))
    assert titles(view)[0].startswith("n = 16, τ = 85")
    assert titles(view)[1].startswith("n = 48, τ = 400")
    assert view["frames"]["rows"][behind.id][-1] == fake.STEPS.index(85)


def test_panels_stand_beside_one_another_where_there_is_room_and_else_below() -> None:
    wide, narrow = (shown(width=width)["figures"]["scores"]["layout"] for width in (1300, 390))
    assert wide["xaxis"]["domain"][1] < wide["xaxis2"]["domain"][0]
    assert narrow["xaxis"]["domain"] == narrow["xaxis2"]["domain"]
    assert narrow["yaxis"]["domain"][0] > narrow["yaxis2"]["domain"][1]
    assert narrow["height"] > wide["height"]


def test_the_scale_shows_the_scores_where_the_population_is_and_lets_the_tails_go() -> None:
    low, high = shown()["figures"]["scores"]["layout"]["yaxis"]["range"]
    exact = fake.exact(16)
    where = [max(abs(p), abs(e)) for x, p, e in zip(exact.x, exact.population, exact.empirical, strict=True) if abs(x) < 1.5]
    assert low == -high and max(where) < high < max(map(abs, exact.empirical))


def test_e_score_stands_beside_what_a_copier_has_and_what_is_copied_between_its_ends() -> None:
    layout = shown({"at": "400"})["figures"]["errors"]["layout"]
    said = [plain(item["text"]) for item in layout["annotations"]]
    for words in ("a copier, n = 16: 5.3", "good enough: 1", "copying from 0.5", "one Gaussian: 1.24", "population", "training points"):
        assert words in said
    (cursor,) = [shape for shape in layout["shapes"] if shape.get("name") == "cursor"]
    assert (cursor["x0"], cursor["x1"]) == (400, 400)
    marks = [trace for trace in shown()["figures"]["errors"]["data"] if trace.get("meta", {}).get("onset") == "tau_mem"]
    assert [(mark["x"], mark["y"]) for mark in marks] == [([900.0], [0.5])] * 2


def test_the_finding_gives_least_and_last_e_score_and_the_onset_with_their_intervals() -> None:
    words = plain(shown()["finding"])
    assert words.startswith("n = 16: E_score 0.213 (0.196 to 0.23) at τ 250, 4.4 (4.05 to 4.75) at 4,000; τ_mem 900 (700 to 1,200).")
    live = fake.under_way("scores-live")
    assert "τ_mem not by 300" in plain(shown(view=live)["finding"])


def test_before_the_first_run_and_for_other_kinds_the_page_says_so_and_draws_nothing() -> None:
    waits = shown(view=fake.waiting("scores-waiting"))
    assert waits["figures"] == {} and "No run has begun" in waits["finding"]
    images = world.finished()
    view = score_view(images, world.curves_of(images), {}, ViewOptions(), {})
    assert view["figures"] == {} and "only runs of the kind score_1d do" in view["finding"]


def test_one_run_of_each_n_is_drawn_of_the_seed_that_is_asked_for() -> None:
    runs = tuple(
        run.model_copy(update={"id": f"{run.id}s{seed}", "params": {"n_train": run.n_train, "seed": seed}})
        for run in VIEW.runs
        for seed in (1, 2)
    )
    view = VIEW.model_copy(update={"runs": runs})
    assert seed_choices(view) == {"1": "seed 1", "2": "seed 2"}
    assert [run.id for _, run in shown_runs(view, "2")] == ["scoresr0s2", "scoresr1s2"]
    assert [run.id for _, run in shown_runs(view, None)] == ["scoresr0s1", "scoresr1s1"]
    found = score_view(view, fake.curves(view), {run.id: fake.scores(run) for run in runs}, ViewOptions(), {"seed": "2"})
    bound = {trace["meta"]["bind"]["run"] for trace in found["figures"]["errors"]["data"] if "bind" in trace.get("meta", {})}
    assert bound == {"scoresr0s2", "scoresr1s2"}
    assert seed_choices(VIEW) == {}


def test_both_figures_can_be_taken_away_with_every_number_behind_them() -> None:
    view = shown(print_mm=85)
    assert {name: figure["layout"]["width"] for name, figure in view["figures"].items()} == {"scores": 321, "errors": 321}
    assert "/api/v1/experiments/scores/scores.csv" in view["table"]
    assert "curves.csv?metrics=e_score,score_copied" in view["table"]


def test_the_tab_is_there_for_one_dimensional_runs_alone() -> None:
    assert ">Score</a>" in header(VIEW, tab="experiment")
    assert ">Score</a>" not in header(world.finished(), tab="experiment")
