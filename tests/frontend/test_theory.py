"""Theory beside data: levels in the loss panel, lines over noise levels, a table on the run's page, nothing where nothing is measured."""

from typing import Any

from frontend.charts.experiment import experiment_figure, watched
from frontend.charts.figure import ViewOptions
from frontend.charts.theory import constants, loss_constants, value_words
from frontend.markup.theory import theory_section
from frontend.spectrum_view import spectrum_view
from tauscope.contracts.curves import Series
from tests.frontend import fake_spectrum as fake
from tests.frontend import fake_theory
from tests.frontend import fake_world as world

VIEW = fake.spectral("spectrum")
RUN = VIEW.runs[0]
CURVES = fake.curves(VIEW)
WITHOUT = world.curves_of(VIEW)


def texts(figure: dict[str, Any]) -> list[str]:
    return [item["text"] for item in figure["layout"]["annotations"]]


def test_the_loss_panel_has_a_level_for_each_constant_it_has_room_for_and_the_number_of_each_other() -> None:
    figure = experiment_figure(VIEW, CURVES, ViewOptions(losses=100, focus="16"))
    levels = [shape for shape in figure["layout"]["shapes"] if shape.get("yref") == "y4"]
    held = CURVES.runs[RUN.id]
    assert [(shape["y0"], shape["line"]["dash"]) for shape in levels] == [(held["theory_loss_linear_held_out@100"].value[0], "dot")]
    assert any(text.startswith("best linear filter, held-out: 0.62") for text in texts(figure))
    assert "exact empirical denoiser: held-out ↑ 1.96, training ↓ under 1e-6" in texts(figure)
    asked = watched(VIEW, ViewOptions(losses=100))
    assert asked is not None and set(loss_constants(100)) <= set(asked)


def test_a_run_without_them_is_drawn_as_before() -> None:
    figure = experiment_figure(VIEW, WITHOUT, ViewOptions(losses=100, focus="16"))
    assert not [shape for shape in figure["layout"]["shapes"] if shape.get("yref") == "y4"]
    assert not theory_section(RUN, WITHOUT)
    assert "grid" not in spectrum_view(VIEW, WITHOUT, ViewOptions(), {"map": "theory"})["figures"]


def test_over_noise_levels_learned_losses_are_solid_at_the_last_step_and_theory_is_not() -> None:
    view = spectrum_view(VIEW, CURVES, ViewOptions(), {"map": "theory", "run": RUN.id})
    figure = view["figures"]["grid"]
    assert "exact empirical denoiser" in view["keys"]
    lines = {(trace["meta"]["who"], trace["meta"]["set"]): trace for trace in figure["data"] if "meta" in trace}
    assert set(lines) == {
        ("learned", "train"),
        ("learned", "held_out"),
        ("empirical", "train"),
        ("empirical", "held_out"),
        ("linear", "held_out"),
    }
    assert {key: line["line"].get("dash") for key, line in lines.items()} == {
        ("learned", "train"): None,
        ("learned", "held_out"): None,
        ("empirical", "train"): "dash",
        ("empirical", "held_out"): "dash",
        ("linear", "held_out"): "dot",
    }
    held, grid = CURVES.runs[RUN.id], fake.SPEC.measurement.loss_grid
    assert grid is not None
    indices = grid.indices(fake.SPEC.process)
    assert lines["learned", "train"]["y"] == [held[f"grid_train@{i}"].value[-1] for i in indices]
    # What rounding cannot tell from zero has no place on a logarithmic axis.
    floor = [held[f"theory_grid_empirical_train@{i}"].value[0] for i in indices]
    assert lines["empirical", "train"]["y"] == [value if value is not None and value >= 1e-6 else None for value in floor]
    assert "under 1e-6" in lines["empirical", "train"]["text"][0]
    assert all("pairs" in text for line in lines.values() for text in line["text"])
    assert f"learned by τ {held['grid_train@1'].step[-1]:,}" in texts(figure)[0]


def test_the_runs_page_has_every_loss_with_interval_and_count_and_the_reason_where_one_cannot_be_had() -> None:
    said = theory_section(RUN, CURVES)
    assert said.count("<tr>") == 1 + 2 * 3
    assert "<td>under 1e-6</td>" in said and "<td>256</td>" in said
    assert "What the population&#x27;s would lose is not known here." in said
    assert "learned by τ 450" in said and "0.56 (0.543 to 0.577)" in said and "<td>512</td>" in said
    missing = Series(step=(3,), value=(None,), low=(None,), high=(None,), count=(256,), reason=("no training image has label 3",))
    series = CURVES.runs[RUN.id] | {"theory_loss_empirical_held_out@100": missing}
    assert "No training image has label 3" in theory_section(RUN, CURVES.model_copy(update={"runs": {RUN.id: series}}))


def test_a_population_that_is_known_stands_between_the_empirical_denoiser_and_the_filter() -> None:
    series = fake_theory.series()
    series["theory_loss_population_held_out@100"] = series["theory_loss_linear_held_out@100"]
    assert [(item.who, item.part) for item in constants(series) if item.index == 100] == [
        ("empirical", "held_out"),
        ("empirical", "train"),
        ("population", "held_out"),
        ("linear", "held_out"),
    ]
    assert "is not known" not in theory_section(RUN, CURVES.model_copy(update={"runs": {RUN.id: series}}))


def test_a_loss_that_rounding_leaves_of_zero_is_not_given_as_a_number() -> None:
    assert (value_words(2.9e-11), value_words(-1e-7), value_words(0.0312)) == ("under 1e-6", "under 1e-6", "0.0312")
