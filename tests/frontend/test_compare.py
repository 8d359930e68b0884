"""A comparison: what one line stands for, how lines are told apart, what must be said, and what must not be drawn as equal."""

import csv
import io
from dataclasses import replace
from typing import Any

import pytest

from frontend.charts.compare import compare_figure
from frontend.charts.compared import DASHES, compared_lines, merged
from frontend.charts.figure import FigureError, ViewOptions
from frontend.compare_view import compare_view, numbers_csv
from frontend.comparison import MOST_EXPERIMENTS, Comparison, Part, Selection, find
from frontend.markup.compare import compare_finding, compare_notices, result_table
from frontend.theme import DARK, LIGHT, n_colours
from frontend.words import joined_names
from tauscope.client import ApiError
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.problems import Problem
from tauscope.contracts.run_views import RunView
from tests.frontend import fake_compared, fake_states
from tests.frontend import fake_world as world
from tests.frontend.compared import LOSS, curves_of, drawn, figure, lines_of, texts
from tests.frontend.many_runs import ManyRuns


def test_an_experiment_has_one_line_style_and_no_two_of_five_share_it() -> None:
    names = ("a", "b", "c", "d", "e")
    _, lines, _ = drawn(*[world.finished(name) for name in names])
    styles = {line.part.letter: (line.dash, line.symbol) for line in lines}
    assert len({dash for dash, _ in styles.values()}) == len(names) == len(DASHES)
    assert all((line.dash, line.symbol) == styles[line.part.letter] for line in lines)
    assert "dot" not in DASHES  # Dots are the control's.


def test_twelve_experiments_are_still_told_apart_by_line_and_marker() -> None:
    _, lines, _ = drawn(*[world.finished(f"e{place}") for place in range(MOST_EXPERIMENTS)])
    assert len({(line.part.letter) for line in lines}) == len({(line.dash, line.symbol) for line in lines}) == MOST_EXPERIMENTS


def test_lightness_follows_n_over_all_experiments() -> None:
    _, lines, _ = drawn(world.finished(), fake_compared.seeds())
    scale = dict(zip((16, 32, 64), n_colours(3, LIGHT), strict=True))
    assert all(line.drawn.colour == scale[line.run.n_train or 0] for line in lines)


def test_settings_of_one_n_differ_by_marker() -> None:
    view = world.finished()
    runs = tuple(run.model_copy(update={"n_train": 16, "params": {"lr": place}}) for place, run in enumerate(view.runs))
    _, lines, _ = drawn(view.model_copy(update={"runs": runs}), world.finished("other"))
    assert len({line.symbol for line in lines if line.part.letter == "A"}) == len(runs)


def test_three_seeds_or_more_are_one_line_of_their_mean_and_fewer_are_lines_of_their_own() -> None:
    _, lines, _ = drawn(fake_compared.seeds())
    assert [line.heading for line in lines] == ["n = 16 (4 seeds)", "n = 64 (4 seeds)"]
    _, two, _ = drawn(fake_compared.seeds(), runs=("seedsr0", "seedsr3"))
    assert [line.name for line in two] == ["n = 16, seed 1", "n = 16, seed 4"]
    _, apart, _ = drawn(fake_compared.seeds(), apart=True)
    assert len(apart) == 8


def test_a_seed_that_has_not_begun_is_counted_and_not_averaged() -> None:
    view = fake_compared.seeds()
    waiting = view.runs[1].model_copy(update={"step": 0, "onsets": {}, "final": {}})
    _, lines, _ = drawn(view.model_copy(update={"runs": (view.runs[0], waiting, *view.runs[2:])}))
    assert lines[0].heading == "n = 16 (3 of 4 seeds)"
    assert "8 runs of 1 experiment" in compare_finding(lines)


def test_the_line_of_a_mean_is_the_mean_and_its_band_stays_within_what_a_share_can_be() -> None:
    made = figure(fake_compared.seeds())
    curves = curves_of(fake_compared.seeds()).runs
    line = next(trace for trace in lines_of(made) if trace["meta"]["bind"]["metric"] == "f_mem")
    each = [curves[f"seedsr{place}"]["f_mem"].value[-1] for place in range(4)]
    assert line["y"][-1] == pytest.approx(sum(value or 0.0 for value in each) / 4)
    assert "over %{customdata[2]} seeds" in line["hovertemplate"]
    assert line["customdata"][-1][2] == 4
    bands = [trace["y"] for trace in made["data"] if trace.get("meta", {}).get("bind", {}).get("column") in ("low", "high")]
    shares = [value for trace, value in ((trace, v) for trace in bands for v in trace) if value is not None]
    assert min(shares) >= 0
    thin = [trace for trace in made["data"] if "seeds" in trace.get("meta", {})]
    assert len(thin) == 4  # Two settings in each of two panels.


def test_the_band_of_no_copy_in_any_seed_is_not_nothing() -> None:
    made = figure(fake_compared.seeds())
    high = next(trace for trace in made["data"] if trace.get("meta", {}).get("bind", {}).get("column") == "high" and trace["yaxis"] == "y2")
    assert high["y"][0] == pytest.approx(3.7 / world.N_GENERATED)


def test_f_mem_without_its_control_is_refused() -> None:
    parts, lines, curves = drawn(world.finished())
    runs = {run: {name: item for name, item in found.items() if name != "f_mem_control"} for run, found in curves.runs.items()}
    with pytest.raises(FigureError, match="held-out control"):
        compare_figure(parts, lines, curves.model_copy(update={"runs": runs}), ViewOptions(), LOSS)


@pytest.mark.parametrize(("axis", "factor"), [("tau", 1.0), ("tau_n", 1 / 64), ("w_tau", 32.0), ("seconds", 3 / 22)])
def test_both_panels_share_one_axis_of_time(axis: Any, factor: float) -> None:
    made = figure(world.finished(), fake_compared.wide(), axis=axis)
    lines = [trace for trace in lines_of(made) if trace["meta"]["bind"]["run"] == "wider2"]
    assert {trace["yaxis"] for trace in lines} == {"y", "y2"}
    assert [trace["x"][-1] for trace in lines] == pytest.approx([2400 * factor] * 2)
    assert made["layout"]["xaxis"]["type"] == "log"
    if axis == "seconds":
        assert "mean speed" in made["layout"]["xaxis"]["title"]["text"]


def test_what_has_no_place_on_an_axis_is_said_and_not_named_on_it() -> None:
    old = world.finished("old")
    old = old.model_copy(update={"runs": tuple(run.model_copy(update={"width": None}) for run in old.runs)})
    parts, lines, curves = drawn(world.finished(), old)
    notices = compare_notices(Comparison(parts), lines, curves, LOSS, ViewOptions(axis="w_tau"))
    assert "B n = 16, 32, 64: not drawn over Wτ" in notices
    assert "B n" not in texts(figure(world.finished(), old, axis="w_tau"))


def test_runs_that_are_not_compared_do_not_stretch_the_axes() -> None:
    parts, lines, curves = drawn(world.finished(), runs=("demor0",))
    assert set(curves.runs) == {"demor0"}
    made = compare_figure(parts, lines, curves, ViewOptions(), LOSS)
    assert 10 ** made["layout"]["xaxis"]["range"][1] < world.BUDGETS[32]


def test_a_name_that_looks_like_markup_is_shown_as_it_is() -> None:
    named = world.finished("other").model_copy(update={"name": "<i>x</i> & y"})
    keys = [trace["name"] for trace in figure(world.finished(), named)["data"] if "experiment" in trace.get("meta", {})]
    assert keys[1] == "B  &lt;i&gt;x&lt;/i&gt; &amp; y"


def test_every_line_is_named_at_its_end_and_the_figure_carries_its_own_key() -> None:
    made = figure(world.finished(), fake_compared.wide())
    for name in ("A, B† n = 16", "A, B† n = 64"):  # They end at the same place.
        assert name in texts(made)
    assert "A n = 64" in texts(figure(world.finished(), world.live(step=300)))
    keys = [trace for trace in made["data"] if "experiment" in trace.get("meta", {})]
    assert [trace["name"] for trace in keys] == ["A  digits-demo", "B  digits, twice as wide"]
    assert keys[0]["line"]["dash"] != keys[1]["line"]["dash"]
    means = figure(fake_compared.seeds())
    assert means["layout"]["showlegend"] is True
    assert [t["name"] for t in means["data"] if "experiment" in t.get("meta", {})] == ["A  digits, four seeds, mean of 4 seeds"]
    one_alone = compare_figure(*drawn(fake_compared.seeds(), runs=(*(f"seedsr{k}" for k in range(5)),)), ViewOptions(), LOSS)
    assert next(t["name"] for t in one_alone["data"] if "experiment" in t.get("meta", {})).endswith(", mean of 1 to 4 seeds")
    assert figure(world.finished())["layout"]["showlegend"] is False


def test_names_of_lines_that_end_together_are_joined_by_experiment() -> None:
    assert joined_names(["A n = 16", "B† n = 16"]) == "A, B† n = 16"
    assert joined_names(["A, B n = 16", "C n = 16"]) == "A, B, C n = 16"
    assert joined_names(["A n = 16", "A n = 32"]) == "A n = 16, 32"
    assert joined_names(["n = 16", "n = 32"]) == "n = 16, 32"


def test_of_very_many_lines_the_first_and_the_last_of_each_experiment_are_named_and_the_chosen_one() -> None:
    many = ManyRuns()
    forty, demo = many.experiment(), world.finished()
    parts = (Part("A", forty, frozenset(run.id for run in forty.runs)), Part("B", demo, frozenset(run.id for run in demo.runs)))
    curves = merged(parts, {"forty": many.curves(100), "demo": world.curves_of(demo)})
    lines = compared_lines(parts, curves, LIGHT)
    made = compare_figure(parts, lines, curves, ViewOptions(width=1400, focus=lines[7].key), LOSS)
    named = {item["text"] for item in made["layout"]["annotations"] if item.get("xref") == "x" and item["text"].strip("<b>")[:1] in "AB"}
    assert {"A n = 8", "A n = 320", "<b>A n = 64</b>"} <= named
    assert len(named) <= 7
    assert made["layout"]["hovermode"] == "closest"


def test_the_zoom_survives_new_points_and_begins_afresh_with_another_choice() -> None:
    young, old = world.live(step=300), world.live(step=700)
    revision = [figure(world.finished(), view)["layout"]["uirevision"] for view in (young, old)]
    assert revision[0] == revision[1] != figure(world.finished(), old, axis="tau_n")["layout"]["uirevision"]


def test_a_print_has_type_of_eight_points_in_its_key_too() -> None:
    made = figure(world.finished(), fake_compared.wide(), print_mm=175)
    assert made["layout"]["legend"]["font"]["size"] == pytest.approx(8 * 96 / 72)
    assert made["layout"]["width"] == round(175 * 96 / 25.4)


def test_the_finding_gives_both_clocks_with_what_was_not_reached() -> None:
    _, lines, _ = drawn(world.finished(), world.never_good())
    said = compare_finding(lines)
    assert "5 runs of 2 experiments; they differ in Training images n, Training steps." in said
    assert "31, none in 1 of 5" in said
    assert "230 to 1,000, none in 1 of 5" in said


def test_every_run_has_its_onsets_with_interval_or_state_its_copies_with_control_and_a_checkpoint_to_keep() -> None:
    from tests.frontend.fake_api import RECOMMENDED

    _, lines, curves = drawn(world.finished(), world.never_good())
    table = result_table(lines, curves, lambda run: RECOMMENDED if run.id == "demor0" else None)
    assert "216 to 246" in table
    assert "not by 450" in table
    assert "censored" in table
    assert 'href="/inspect?run=demor0&amp;step=411"' in table
    assert "held-out control 0.1 % (0 to 0.5 %) of 1,000" in table


def test_an_address_names_experiments_and_runs_and_forgets_repetitions() -> None:
    found = Selection.of({"experiments": "a, b,a", "runs": "r1,,r2"})
    assert found == Selection(("a", "b"), ("r1", "r2"))
    assert found.address() == {"experiments": "a,b", "runs": "r1,r2"}
    assert not Selection.of({})


class Client:
    """The client's methods that a comparison uses."""

    def __init__(self, *experiments: ExperimentView) -> None:
        self.made = {view.id: view for view in experiments}

    def experiment(self, identifier: str) -> ExperimentView:
        if identifier not in self.made:
            raise ApiError(Problem(type="about:blank", title="none", status=404, code="none", detail="none", remedy=""))
        return self.made[identifier]

    def run(self, identifier: str) -> RunView:
        return self.experiment(identifier.rpartition("r")[0]).runs[int(identifier.rpartition("r")[2])]

    def curves(self, identifier: str, metrics: tuple[str, ...]) -> Curves:
        return curves_of(self.made[identifier])


def test_runs_are_found_with_their_experiment_and_a_whole_experiment_has_all_of_its_own() -> None:
    found = find(Client(world.finished(), world.never_good()), Selection(("never",), ("demor2", "neverr0", "demor0")))  # type: ignore[arg-type]
    assert [(part.letter, part.experiment.id, sorted(part.chosen)) for part in found.parts] == [
        ("A", "never", ["neverr0", "neverr1"]),
        ("B", "demo", ["demor0", "demor2"]),
    ]


def test_an_unknown_id_is_told_and_the_others_are_compared() -> None:
    found = find(Client(world.finished()), Selection(("demo", "gone"), ("awayr0",)))  # type: ignore[arg-type]
    assert found.missing == ("awayr0", "gone")
    assert [part.experiment.id for part in found.parts] == ["demo"]
    assert "There is no experiment or run gone; it is left out." in compare_notices(
        found, *drawn(world.finished())[1:], metric=LOSS, options=ViewOptions()
    )


def test_more_experiments_than_can_be_told_apart_are_left_out_by_count() -> None:
    names = tuple(f"e{place}" for place in range(MOST_EXPERIMENTS + 2))
    found = find(Client(*[world.finished(name) for name in names]), Selection(names))  # type: ignore[arg-type]
    assert (len(found.parts), found.left_out) == (MOST_EXPERIMENTS, 2)


def test_the_numbers_are_every_point_of_the_chosen_runs_with_the_experiment_they_are_from() -> None:
    client = Client(world.finished(), fake_compared.wide())
    text = numbers_csv(client, {"experiments": "demo", "runs": "wider1", "metrics": "f_mem,f_mem_control"})  # type: ignore[arg-type]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {(row["experiment"], row["run"]) for row in rows} == {("demo", f"demor{i}") for i in range(3)} | {("wide", "wider1")}
    known = fake_compared.wide_curves(fake_compared.wide()).runs["wider1"]["f_mem"]
    told = [row for row in rows if row["run"] == "wider1" and row["metric"] == "f_mem"]
    assert [(int(row["tau"]), float(row["value"])) for row in told] == list(zip(known.step, known.value, strict=True))
    assert {row["seed"] for row in rows} == {"4"}


@pytest.mark.parametrize(
    "view", [world.queued(), fake_states.one_point("one"), fake_states.diverged("diverged"), world.stale()], ids=lambda view: view.id
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_state_of_an_experiment_can_be_compared(view: ExperimentView, theme: Any) -> None:
    comparison = Comparison(drawn(view, world.finished())[0])
    found = {part.experiment.id: curves_of(part.experiment) for part in comparison.parts}
    made = compare_view(comparison, found, replace(ViewOptions(), theme=theme), {"tables": "1"}, lambda run: None)
    assert made["figure"]["layout"]["paper_bgcolor"] == (LIGHT if theme == "light" else DARK).surface
    assert made["numbers"].count("<table") == 2


def test_before_the_first_point_the_axes_stand_and_say_what_comes() -> None:
    made = figure(world.queued())
    assert "No measurement yet" in texts(made)
    assert made["layout"]["xaxis"]["range"][0] < made["layout"]["xaxis"]["range"][1]


def test_what_a_copier_scores_is_said_once_for_all_lines_of_an_n() -> None:
    words = texts(figure(world.finished(), fake_compared.wide(), metric="frechet_pca"))
    assert words.count("a copier, n = 16: 7.1") == 1
    assert words.count("a copier") == 3
    assert "real against real: 0.31" in words
