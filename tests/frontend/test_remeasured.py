"""What was measured again is drawn beside the run's own curve, each estimate with label, interval, count and control."""

from frontend.charts.figure import ViewOptions
from frontend.markup.remeasured import OWN
from frontend.remeasured_view import remeasured_view
from tests.frontend import fake_remeasured
from tests.frontend import fake_world as world
from tests.frontend.paged import FakeClient, api, opened, press

__all__ = ["api"]  # The fixture.

VIEW = world.finished("demo")
CURVES = world.curves_of(VIEW)
RUN = VIEW.runs[1]


def test_each_estimate_has_its_own_mark_its_interval_its_count_and_its_control() -> None:
    figure = remeasured_view(RUN, CURVES, fake_remeasured.sets(RUN.id), ViewOptions())["figure"]
    names = [trace["name"] for trace in figure["data"]]
    labels = [OWN, fake_remeasured.DONE, fake_remeasured.UNDER_WAY]
    assert names == [f"{label}: {kind}" for label in labels for kind in ("copies", "held-out control")]
    assert len({(trace["marker"]["symbol"], trace["line"]["color"]) for trace in figure["data"]}) == 6
    assert figure["layout"]["showlegend"]
    for trace in figure["data"]:
        assert len(trace["x"]) == len(trace["error_y"]["array"]) == len(trace["text"]) > 0
        assert all(" to " in text and " of " in text for text in trace["text"])
    counts = [trace["text"][0].split(" of ")[1].split(" ")[0] for trace in figure["data"][::2]]
    assert counts == [f"{world.N_GENERATED:,}", "4,096", "384"]


def test_the_numbers_say_of_every_step_how_it_was_measured_or_why_not() -> None:
    regions = remeasured_view(RUN, CURVES, fake_remeasured.sets(RUN.id), ViewOptions())["regions"]
    assert "Measured again in 2 ways" in regions["finding"] and "1 given up" in regions["finding"]
    table = regions["table"]
    assert "never enters the run&#x27;s own curves" in table or "never enters the run's own curves" in table
    assert "495 (474 to 520)" in table, "tau_mem by the set's own points"
    assert "trained again from the checkpoint at 36" in table
    assert "measuring: 397; waiting: 592; failed: 884. No space left on device." in table


def test_before_anything_is_measured_there_are_words_and_no_figure() -> None:
    empty = CURVES.model_copy(update={"runs": {}})
    waiting = tuple(held.model_copy(update={"series": {}}) for held in fake_remeasured.sets(RUN.id))
    view = remeasured_view(RUN, empty, waiting, ViewOptions())
    assert view["figure"] is None and "each step appears when it is done" in view["regions"]["table"]


def test_the_page_of_a_run_asks_for_more_samples_of_every_checkpoint(api: FakeClient) -> None:
    app = opened("run", id="demor1")
    press(app, "Measure again")
    assert api.asked == [("remeasure", ("demor1", {"n_generated": world.N_GENERATED}, None))]


def test_copies_between_features_stand_in_the_table_with_their_control() -> None:
    one, _ = fake_remeasured.sets(RUN.id)
    series = {"copies_pixels_pca": [(397, 0.21, 0.17, 0.25, 384)], "copies_pixels_pca_floor": [(397, 0.01, 0.001, 0.02, 300)]}
    held = one.model_copy(update={"series": {name: world.series(rows) for name, rows in series.items()}})
    table = remeasured_view(RUN, CURVES, (held,), ViewOptions())["regions"]["table"]
    row = next(part for part in table.split("<tr>") if f"{fake_remeasured.DONE}: copies_pixels_pca<" in part)
    assert "<td>21 %</td><td>17 to 25 %</td>" in row and "384" in row and "1.0 %" in row and "of 300" in row


def test_the_page_of_a_run_asks_for_qualities_on_another_feature_network(api: FakeClient) -> None:
    app = opened("run", id="demor1")
    next(item for item in app.multiselect if item.label == "Feature networks").set_value(["inception"])
    next(item for item in app.multiselect if item.label == "Measured on them").set_value(["frechet", "kid"])
    next(item for item in app.number_input if item.label == "Samples they see").set_value(200)
    press(app, "Measure again")
    features = [{"name": "inception", "metrics": ["frechet", "kid"], "samples": 200}]
    assert api.asked == [("remeasure", ("demor1", {"n_generated": world.N_GENERATED, "features": features}, None))]


def test_qualities_on_features_stand_in_a_table_with_their_baselines_and_what_they_are() -> None:
    one, without = fake_remeasured.sets(RUN.id)
    table = remeasured_view(RUN, CURVES, (one,), ViewOptions())["regions"]["table"]
    row = next(part for part in table.split("<tr>") if "FID on Inception 2015<" in part)
    assert "<td>139</td><td>132 to 145</td><td>200</td><td>19.8 (200 images)</td><td>21.5 (32 images)</td>" in row
    assert "resized bilinearly with antialiasing to 299 x 299 pixels" in table, "the definition says network, resize, count and reference"
    assert "Every quality" not in remeasured_view(RUN, CURVES, (without,), ViewOptions())["regions"]["table"]
    assert '<details class="tau-details"><summary>Every quality' in table
    asked_for = one.model_copy(update={"changes": {"features": [{"name": "inception"}]}})
    shown = remeasured_view(RUN, CURVES, (asked_for,), ViewOptions())["regions"]["table"]
    assert '<details class="tau-details" open><summary>Every quality' in shown, "what was asked for is not folded away"
