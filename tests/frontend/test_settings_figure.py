"""The figure of the interventions page: copying and both onsets against the one number that settings differ in."""

from typing import Any

import numpy as np

from frontend.charts.figure import ViewOptions
from frontend.charts.settings import settings_figure
from frontend.interventions_view import interventions_view
from tauscope.analysis.interventions import AGAIN, interventions
from tauscope.contracts.interventions import Interventions
from tests.frontend import fake_interventions as fake
from tests.phase_runs import Truth, measured

DROPOUT = "network.dropout"
VALUES = (0.0, 0.1, 0.3)


def compared(*further: dict[str, Any], never: float | None = 0.3) -> Interventions:
    """Three dropouts, the last of which never copies."""
    runs = [
        measured(
            Truth(16, tau_mem=None if value == never else 200.0, steps=450, samples=256, seed=1, params={DROPOUT: value} | more),
            np.random.default_rng(1),
        )
        for more in ({}, *further)
        for value in VALUES
    ]
    for run in runs:
        for name in ("n_train", "width"):
            run.summary.params.pop(name, None)
    return interventions("dropout", runs)


def drawn(found: Interventions) -> list[dict[str, Any]]:
    figure = settings_figure(found, ViewOptions(), height=460)
    assert figure is not None
    return list(figure["data"])


def test_copying_stands_at_each_value_with_its_interval_and_its_control() -> None:
    found = compared()
    assert found.axis == "Dropout" and [row.at for row in found.settings] == list(VALUES)
    copying, control = (next(trace for trace in drawn(found) if trace["meta"].get("settings") == name) for name in ("f_mem", "control"))
    assert copying["x"] == control["x"] == list(VALUES)
    for row, value, up, down in zip(
        found.settings, copying["y"], copying["error_y"]["array"], copying["error_y"]["arrayminus"], strict=True
    ):
        assert row.f_mem.value is not None and row.f_mem.high is not None and row.f_mem.low is not None
        assert (value, value + up, value - down) == (100 * row.f_mem.value, 100 * row.f_mem.high, 100 * row.f_mem.low)


def test_only_an_onset_that_was_reached_is_a_point_and_the_other_is_an_arrow_from_the_last_common_step() -> None:
    traces = [trace for trace in drawn(compared()) if trace["meta"].get("onset") == "tau_mem"]
    reached, arrow = traces
    assert len(reached["y"]) == 2 and all(up > 0 for up in reached["error_y"]["array"])
    assert (arrow["meta"]["status"], arrow["y"][0]) == ("arrow", 450) and arrow["y"][1] > 450


def test_there_is_no_figure_where_settings_differ_in_more_than_one_number() -> None:
    more = compared({"optimizer.weight_decay": 0.5})
    assert more.axis == "" and settings_figure(more, ViewOptions(), height=460) is None
    view = fake.moved("interventions")
    assert interventions_view(view, fake.compared(view))["figures"] == {}


def test_what_another_sampler_measured_has_no_place_on_the_axis_of_training() -> None:
    found = compared({AGAIN: "filter"})
    assert [row.at for row in found.settings][3:] == [None] * 3
    assert all(len(trace["x"]) == 3 for trace in drawn(found) if "settings" in trace["meta"])


def test_the_page_shows_the_figure_with_its_keys_and_downloads() -> None:
    shown = interventions_view(fake.moved("interventions"), compared())
    assert "settings" in shown["figures"] and "Bars: 95 %" in str(shown["keys"]) and "Against Dropout" in str(shown["table"])
    assert shown["alt"]["settings"].startswith("Copying and onsets against Dropout.")
