"""The mixture page: one run against the exact scores of its population and of its training points, and words where none is known."""

from typing import Any

import pytest

from frontend.charts.experiment import experiment_figure
from frontend.charts.figure import ViewOptions
from frontend.law_view import law_view
from frontend.markup.alternative import plain
from frontend.mixture_view import mixture_view
from tests.frontend import fake_mixture as fake
from tests.frontend import fake_world as world
from tests.frontend.test_run_names import view_of

VIEW = fake.learnt("mixture")


def shown(query: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
    return mixture_view(VIEW, fake.curves(VIEW), ViewOptions(**options), query or {})


def lines(view: dict[str, Any], part: str) -> list[str]:
    return [trace["meta"]["metric"] for trace in view["figures"][part]["data"] if "metric" in trace.get("meta", {})]


def test_each_figure_draws_its_metrics_at_the_middle_index_with_intervals_and_what_is_known_dotted() -> None:
    view = shown()
    assert lines(view, "alpha") == ["alpha@150", "alpha_orthogonal@150", "alpha_ho@150"]
    assert lines(view, "scores") == ["score_error@150", "score_error_empirical@150"]
    assert lines(view, "distances") == ["e_gen", "e_mem"]
    for part, dotted in (("alpha", 0), ("scores", 1), ("distances", 2)):
        data = view["figures"][part]["data"]
        assert len([trace for trace in data if trace.get("meta", {}).get("control")]) == dotted
        assert len([trace for trace in data if trace.get("fill") == "tonexty"]) == len(lines(view, part))
    assert view["figures"]["scores"]["layout"]["yaxis"]["type"] == "log"


def test_the_collapse_is_of_alpha_which_has_no_control_and_may_fall_below_zero() -> None:
    view = law_view(VIEW, fake.curves(VIEW), ViewOptions(), exponents={}, level=None)
    figure = view["figures"]["collapse"]
    line = next(trace for trace in figure["data"] if "hovertemplate" in trace)
    run = VIEW.runs[0]
    assert line["y"] == list(fake.curves(VIEW).runs[run.id]["alpha@150"].value)
    assert "control" not in line["hovertemplate"]
    assert any("Projection order parameter alpha" in words["text"] for words in figure["layout"]["annotations"])
    assert "a level of projection order parameter alpha" in plain(view["collapse_words"])


def test_another_index_and_another_run_are_shown_where_they_are_asked_for() -> None:
    assert lines(shown({"index": "300"}), "alpha")[0] == "alpha@300"
    assert lines(shown({"index": "7"}), "alpha")[0] == "alpha@150"
    run = VIEW.runs[0]
    assert plain(shown({"run": run.id})["finding"]).startswith(f"n = {run.n_train}: at τ")


def test_the_finding_says_where_the_score_stands_with_intervals() -> None:
    words = plain(shown({"run": VIEW.runs[0].id})["finding"])
    assert "alpha is 0.606 (0.562 to 0.65) at index 150" in words
    assert "the score is nearer to that of the" in words
    assert words.count(" to ") >= 4


def test_samples_stand_beside_what_fresh_draws_score() -> None:
    words = plain(shown()["table"])
    assert "E_gen, distance to the nearest centre" in words
    assert "2.73" in words
    assert "1,024" in words


def test_where_no_population_is_known_the_page_says_so() -> None:
    view = world.finished("demo")
    found = mixture_view(view, world.curves_of(view), ViewOptions(), {})
    assert not found["figures"]
    assert "No population is known here" in found["finding"]


@pytest.mark.parametrize("options", [{"theme": "dark"}, {"width": 340}, {"talk": True}])
def test_every_way_of_showing_it_has_all_three_figures(options: dict[str, Any]) -> None:
    known = {key: value for key, value in options.items() if key in ViewOptions.__dataclass_fields__}
    assert set(shown(**known)["figures"]) == {"alpha", "scores", "distances"}


def test_alpha_is_drawn_and_told_as_the_number_that_it_is_and_not_in_percent() -> None:
    view = view_of("gmm-minute")
    layout = experiment_figure(view, world.curves_of(world.finished("demo")), ViewOptions())["layout"]
    assert "ticktext" not in layout["yaxis2"] and layout["yaxis2"]["tickvals"] == [0, 0.25, 0.5, 0.75, 1]
    assert "copying level: 0.2" in {item["text"] for item in layout["annotations"]}
