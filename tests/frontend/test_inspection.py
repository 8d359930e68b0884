"""The words and the miniature of the inspect page."""

import re
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest

from frontend.inspection import LogAxis, inspected, inspection
from frontend.markup.checkpoints import Quality, checkpoint_words, copies_found, mini_curves, no_checkpoint
from tauscope.contracts.curves import Curves
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import RunState
from tauscope.contracts.samples import SampleStep
from tauscope.contracts.system import SystemView
from tests.frontend import fake_samples
from tests.frontend import fake_world as world


def run_at_the_end() -> RunView:
    return world.finished().runs[2]


def at(step: int) -> SampleStep:
    return next(item for item in fake_samples.sample_steps(run_at_the_end()).steps if item.step == step)


def test_the_finding_gives_copies_with_interval_count_and_control() -> None:
    assert "0 of 384 samples are copies: under 1.0 % at 95 %." in copies_found(at(5))
    words = copies_found(at(1763))
    assert re.search(r"\d+ of 384</span> samples are copies: 61 %", words)
    assert "(56 to 66 % at 95 %)" in words
    assert "Held-out control 0.1 % (0 to 0.6 %) of 1,000" in words


def test_a_measurement_without_a_control_says_nothing_of_one() -> None:
    assert "control" not in copies_found(at(5).model_copy(update={"f_mem_control": None}))


@pytest.mark.parametrize(
    ("item", "title", "detail"),
    [
        (SampleStep(step=1320, state="waiting"), "τ = 1,320 are still being evaluated", "appear here by themselves"),
        (SampleStep(step=7, state="waiting", reason="its worker fell silent"), "still being evaluated", "its worker fell silent"),
        (SampleStep(step=7, state="diverged"), "no finite sample", "diverged"),
    ],
)
def test_a_checkpoint_without_samples_says_why(item: SampleStep, title: str, detail: str) -> None:
    words = checkpoint_words(item)
    assert title in words["title"] and title in words["finding"]
    assert detail in words["detail"]


def test_a_run_without_samples_says_whether_any_will_come() -> None:
    waiting = world.queued().runs[0]
    assert no_checkpoint(waiting)["title"] == "No samples yet"
    failed = waiting.model_copy(update={"state": RunState.FAILED, "reason": "The data set is not there."})
    assert no_checkpoint(failed) == {"title": "This run drew no samples", "detail": "The data set is not there."}


def test_stops_lie_on_the_log_axis_from_the_first_checkpoint_to_the_budget() -> None:
    axis = LogAxis(10, 1000)
    assert [axis.place(step) for step in (1, 10, 100, 1000, 5000)] == pytest.approx([0, 0, 0.5, 1, 1])
    assert LogAxis(7, 7).place(7) == 0


def test_the_view_places_every_checkpoint_and_keeps_the_last_from_the_end_while_the_run_goes_on() -> None:
    experiment = world.live(step=700)
    run = experiment.runs[2]
    view = inspection(experiment, run, fake_samples.sample_steps(run).steps, world.curves_of(experiment), "loss_held_out@100")
    places = [item["at"] for item in view["checkpoints"]]
    assert places == sorted(places) and places[0] == 0 and places[-1] < 0.9
    assert (view["live"], view["id"]) == (True, "live")


def test_the_miniature_shows_quality_copies_and_the_window_where_there_is_one() -> None:
    experiment = world.finished()
    drawn = inspection(
        experiment,
        run_at_the_end(),
        fake_samples.sample_steps(run_at_the_end()).steps,
        world.curves_of(experiment),
        "loss_held_out@100",
    )["curves"]
    assert (
        drawn.count("<polyline") == 2 and drawn.count("tau-mini-window") == 1 and "window τ 36 to 940" in drawn and "Held-out loss" in drawn
    )
    never = world.never_good().runs[0]
    assert "tau-mini-window" not in mini_curves(never, [at(5)], Quality("quality", ()), LogAxis(5, 450).place)


class Asked:
    """A service that notes how many points it is asked for."""

    points: int | None = None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        experiment, run = world.finished(), run_at_the_end()
        system = SystemView(version="0", database="sqlite", queued=0, running=0, workers=(), server_time=world.T0)
        answers = {"run": run, "experiment": experiment, "sample_steps": fake_samples.sample_steps(run), "system": system}
        return lambda *_: answers[name]

    def curves(self, experiment_id: str, metrics: Sequence[str], *, max_points: int) -> Curves:
        self.points = max_points
        return world.curves_of(world.finished())


def test_the_miniature_is_drawn_from_few_points_which_the_service_chooses_so_that_no_extreme_is_lost() -> None:
    asked = Asked()
    assert "tau-quality" in inspected(cast(Any, asked), run_at_the_end().id, {})["curves"]
    assert asked.points == 300
