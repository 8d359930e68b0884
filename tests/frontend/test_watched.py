"""The watch page asks for the curves it shows, and shows from them what it would show from all."""

from itertools import product

import pytest

from frontend.charts.experiment import watched
from frontend.charts.figure import ViewOptions
from frontend.charts.theory import loss_constants
from frontend.views import experiment_view
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tests.frontend import fake_world as world
from tests.frontend.many_runs import ManyRuns
from tests.frontend.paged import FakeClient, api, opened

__all__ = ["api"]

SEEDS = ManyRuns("seeds", runs=12, points=60, seeds=4)
STATES = (world.finished(), world.live("live", step=700), world.stale(), world.failed(), world.never_good(), world.queued())
CASES = [(state, world.curves_of(state)) for state in STATES] + [(SEEDS.experiment(), SEEDS.curves(None))]
OPTIONS = [
    ViewOptions(view=view, quality=quality, losses=losses)
    for view, (quality, losses) in product(("stacked", "overlay", "path"), ((None, None), ("frechet_pca", 10)))
]


def asked_for(curves: Curves, metrics: tuple[str, ...] | None) -> Curves:
    runs = {run: {name: item for name, item in known.items() if name in (metrics or ())} for run, known in curves.runs.items()}
    return curves.model_copy(update={"runs": runs})


@pytest.mark.parametrize(("experiment", "curves"), CASES, ids=lambda item: getattr(item, "name", ""))
def test_every_figure_is_the_same_from_the_curves_it_asks_for_as_from_all(experiment: ExperimentView, curves: Curves) -> None:
    for options in OPTIONS:
        few = asked_for(curves, watched(experiment, options))
        assert experiment_view(experiment, few, options) == experiment_view(experiment, curves, options)


def test_a_choice_of_quality_and_of_a_loss_pair_asks_for_their_curves_too() -> None:
    experiment = world.finished()
    usual = set(watched(experiment, ViewOptions()) or ())
    chosen = set(watched(experiment, ViewOptions(quality="frechet_pca", losses=10)) or ())
    assert {"f_mem", "f_mem_control", "loss_held_out@100"} <= usual
    assert chosen - usual == {
        *("frechet_pca", "frechet_pca_floor", "frechet_pca_train", "loss_held_out@10", "loss_train@10"),
        *loss_constants(10),
    }
    assert "stable_rank" not in chosen


def test_where_nothing_says_which_quality_is_shown_all_curves_are_asked_for() -> None:
    nothing = world.queued().model_copy(update={"sweep": {}})
    assert watched(nothing, ViewOptions()) is None


def test_the_page_and_its_view_ask_the_same_so_that_the_second_is_answered_from_the_first(
    api: FakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, ...] | None] = []
    known = FakeClient.curves

    def spy(self: FakeClient, identifier: str, metrics: tuple[str, ...] | None = None, *, max_points: int | None = None) -> Curves:
        read.append(metrics)
        return known(self, identifier, metrics, max_points=max_points)

    monkeypatch.setattr(FakeClient, "curves", spy)
    opened("experiment", id="demo")
    assert read == [watched(api.experiment("demo"), ViewOptions())]
