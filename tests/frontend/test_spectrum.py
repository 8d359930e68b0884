"""The spectrum page: a line for each band with its interval and the filter beside it, a map of both losses, and words where nothing is."""

from typing import Any

import pytest

from frontend.charts.figure import ViewOptions
from frontend.markup.alternative import plain
from frontend.spectrum_view import run_choices, spectrum_view
from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.curves import Curves
from tests.frontend import fake_spectrum as fake
from tests.frontend import fake_world as world

VIEW = fake.spectral("spectrum")


def shown(query: dict[str, str] | None = None, *, curves: Curves | None = None, **options: Any) -> dict[str, Any]:
    return spectrum_view(VIEW, curves or fake.curves(VIEW), ViewOptions(**options), query or {})


def lines(view: dict[str, Any], part: str = "bands") -> list[dict[str, Any]]:
    return [trace for trace in view["figures"][part]["data"] if trace.get("meta", {}).get("metric")]


def test_every_band_is_a_line_with_its_interval_its_count_and_the_filter_beside_it() -> None:
    view = shown()
    assert [line["meta"]["metric"] for line in lines(view)] == [f"error_band_held_out@100:{k}" for k in range(4)]
    data = view["figures"]["bands"]["data"]
    assert len([trace for trace in data if trace.get("fill") == "tonexty"]) == 4
    assert len([trace for trace in data if trace.get("meta", {}).get("filter")]) == 4
    assert lines(view)[1]["text"][0].startswith("over 1 to 1.6 cycles per image<br>τ 3: <b>")
    assert lines(view)[1]["text"][0].endswith("256 pairs")
    assert len({line["line"]["color"] for line in lines(view)}) == 4
    assert view["figures"]["bands"]["layout"]["yaxis"]["type"] == "log"


def test_the_error_of_training_images_has_no_filter_and_no_part_outside_their_span() -> None:
    view = shown({"set": "train"})
    assert [line["meta"]["metric"] for line in lines(view, "components")] == [f"error_pc_train@100:{k}" for k in range(3)]
    assert [line["meta"]["metric"] for line in lines(shown(), "components")][-1] == "error_pc_held_out@100:3"
    assert not [trace for trace in view["figures"]["bands"]["data"] if trace.get("meta", {}).get("filter")]


def test_the_finding_gives_every_onset_with_its_interval_and_says_how_many_orders_are_certain() -> None:
    words = plain(shown()["finding"])
    assert words.startswith(
        "n = 64: from low to high frequency, the held-out error comes down to that of the best linear filter at τ 22 (16 to 28)"
    )
    assert "Of 3 pairs of neighbours the lower comes first in 2, the higher in 0, beyond both intervals." in words


def test_onsets_that_were_reached_are_spans_and_the_others_words_with_an_arrow() -> None:
    layout = shown()["figures"]["bands"]["layout"]
    assert [(shape["x0"], shape["x1"]) for shape in layout["shapes"] if shape["type"] == "rect"] == [(27, 36), (940, 1070)]
    live = world.live(step=30)
    found = spectrum_view(live, fake.curves(live), ViewOptions(), {})["figures"]["bands"]["layout"]
    assert not [shape for shape in found["shapes"] if shape["type"] == "rect"]
    assert "τ<sub>mem</sub> not by 30 →" in [item["text"] for item in found["annotations"]]


def test_the_map_has_a_row_for_each_noise_level_and_says_all_numbers_behind_a_cell() -> None:
    (trace,) = shown()["figures"]["grid"]["data"]
    asked = fake.SPEC.measurement.loss_grid
    assert asked is not None
    indices = asked.indices(fake.SPEC.process)
    assert len(trace["z"]) == len(indices) == len(trace["y"]) - 1
    assert len(trace["z"][0]) == len(trace["x"]) - 1
    assert trace["zmin"] == -trace["zmax"]  # A gap of 0 is the middle of the scale.
    said = trace["customdata"][3][0]
    for words in (
        f"index {indices[3]} (alpha_bar 0.99",
        "relative gap <b>",
        "held-out loss <b>",
        "training loss <b>",
        "256 pairs of each set",
    ):
        assert words in said
    assert trace["text"][0][0] == "·"
    assert trace["text"][0][-1] == ""


def test_the_held_out_loss_is_mapped_as_a_share_of_its_first_value() -> None:
    (trace,) = shown({"map": "loss"})["figures"]["grid"]["data"]
    assert [row[0] for row in trace["z"]] == [pytest.approx(0)] * len(trace["z"])  # The logarithm of 1.
    assert trace["zmax"] >= 0 > trace["zmin"]
    assert "as a share of its value at the first step" in shown({"map": "loss"})["figures"]["grid"]["layout"]["annotations"][0]["text"]


def test_a_point_that_is_missing_is_a_gap_in_its_line_and_in_the_map() -> None:
    curves = fake.curves(VIEW)
    run = VIEW.runs[-1].id
    broken = {}
    for name, series in curves.runs[run].items():
        columns = zip(series.step, series.value, series.low, series.high, series.count, strict=True)
        broken[name] = world.series([(s, v, lo, hi, n) if s < 100 else (s, None, None, None, n) for s, v, lo, hi, n in columns])
    view = shown(curves=curves.model_copy(update={"runs": {run: broken}}))
    assert lines(view)[0]["y"][-1] is None
    assert lines(view)[0]["connectgaps"] is False
    assert max(view["figures"]["grid"]["data"][0]["x"]) < 150


def test_what_was_not_asked_for_is_left_out_and_the_empty_page_names_the_fields() -> None:
    experiment = world.finished()
    view = spectrum_view(experiment, world.curves_of(experiment), ViewOptions(), {})
    assert view["figures"] == {}
    assert "measurement.spectrum" in view["finding"]
    assert "measurement.loss_grid" in view["finding"]
    curves = fake.curves(VIEW)
    kept = {name: info for name, info in curves.metrics.items() if not name.startswith("error_")}
    runs = {run: {name: series for name, series in found.items() if name in kept} for run, found in curves.runs.items()}
    alone = shown(curves=curves.model_copy(update={"metrics": kept, "runs": runs}))
    assert set(alone["figures"]) == {"grid"}
    assert alone["finding"] == "n = 64: held-out and training loss over noise levels."
    waits = fake.waiting("spectrum-waits")
    assert (
        "no point yet"
        in spectrum_view(waits, fake.curves(waits).model_copy(update={"metrics": fake.infos()}), ViewOptions(), {})["finding"]
    )


def test_each_figure_can_be_taken_away_on_paper_with_every_number_behind_it() -> None:
    view = shown(print_mm=85)
    assert {name: figure["layout"]["width"] for name, figure in view["figures"].items()} == dict.fromkeys(
        ("bands", "components", "grid"), 321
    )
    for part in ("bands", "components", "grid"):
        assert f'data-part="{part}"' in view["table"]
    assert "curves.csv?metrics=error_band_held_out@100:0," in view["table"].replace("%40", "@").replace("%3A", ":")


def test_a_run_is_chosen_by_the_address_and_every_run_can_be() -> None:
    names = run_choices(VIEW, ViewOptions())
    assert list(names.values()) == ["n = 16", "n = 32", "n = 64"]
    first = next(iter(names))
    assert plain(shown({"run": first})["finding"]).startswith("n = 16:")
    assert plain(shown({"run": "none of them"})["finding"]).startswith("n = 64:")


def test_the_preset_declares_what_the_page_draws() -> None:
    assert set(fake.infos()) < set(metric_infos(fake.SPEC))
