"""Figures of what is no image: copying is what defines tau_mem, and what a kind does not have is said or refused."""

from datetime import UTC, datetime

import pytest

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.points import Point
from tauscope.figures.figure2 import figure_2, metrics_of_figure_2
from tauscope.figures.figure3 import figure_3
from tauscope.figures.render import plan_figure
from tauscope.figures.source import FigureData, FigureOptions, FigureRun, series_of
from tauscope.specs import SweepSpec, load_preset
from tauscope.specs.errors import SpecError
from tests.figures.made import MadeSamples

STEPS = tuple(round(2 * 2**k) for k in range(12))


def of_preset(name: str, metrics: tuple[str, ...]) -> FigureData:
    """The runs of a preset whose metrics rise to 0.8, the later the larger n."""
    sweep: SweepSpec = load_preset(name).sweep
    runs = []
    for run in sweep.resolve():
        points = [_point(metric, step, run.spec.n_train) for metric in metrics for step in STEPS]
        onsets = summarize_points(run.spec, points)[0] if points else {}
        spec = run.spec.model_dump(mode="json")
        runs.append(FigureRun(f"{run.index:02d}", run.params, spec, "finished", series_of(points), onsets, metric_infos(run.spec)))
    return FigureData(
        "made", name, "0.1.0", datetime(2026, 1, 1, tzinfo=UTC), sweep.model_dump(mode="json"), tuple(runs), MadeSamples(STEPS)
    )


def _point(metric: str, step: int, n: int) -> Point:
    value = 0.8 / (1 + (5 * n / step) ** 2)
    return Point(metric=metric, step=step, value=value, low=value - 0.01, high=value + 0.01, count=1024)


def test_figure_2_of_a_mixture_shows_what_defines_its_tau_mem_and_says_why_there_are_no_pictures() -> None:
    data = of_preset("gmm-minute", ("score_error@150", "alpha@150", "loss_train@150", "loss_held_out@150"))
    quality, copying, losses, pictures = figure_2(data, FigureOptions()).panels
    assert not quality.note.startswith("grey") and "real against real" not in quality.note
    assert {row.quantity for row in copying.of("curve")} == {"alpha@150"} and not copying.of("control")
    assert [row.y for row in copying.of("level")] == [0.2]
    assert copying.inset is not None and "collapse score 0.00" in copying.note
    assert losses.y_label == "squared error of eps per dimension"
    assert "gmm have no pictures" in pictures.empty
    assert "alpha@150" in metrics_of_figure_2(data.runs, FigureOptions())


def test_random_features_have_a_law_over_their_points_per_dimension() -> None:
    law = figure_3(of_preset("random-features", ("gap_share",)), FigureOptions()).panels[0]
    assert "3 onsets, 0 censored" in law.note


def test_what_trains_nothing_is_refused_a_figure_of_training() -> None:
    with pytest.raises(SpecError, match="rf_spectrum train nothing"):
        plan_figure(of_preset("rf-spectrum", ()), 2, FigureOptions())
