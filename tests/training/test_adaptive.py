"""What an adaptive schedule measures later is what a schedule that names those steps measures while training, to the last bit."""

from pathlib import Path
from typing import Any

from tauscope.experiments import ImageDdpmExperiment
from tauscope.specs.schedule import Adaptive
from tests.training.test_resume import CPU, MEASUREMENT, Notebook, spec

SCHEDULE = Adaptive(first=2, count=2, checkpoints=6, budget=2)
LATER = 4


def measured_with(schedule: dict[str, Any]) -> dict[str, Any]:
    return {**MEASUREMENT, "schedule": schedule, "loss_grid": {"count": 4, "pairs": 32}}


def test_points_of_a_step_sampled_later_equal_those_of_an_explicit_schedule(tmp_path: Path) -> None:
    adaptive = spec(measurement=measured_with(SCHEDULE.model_dump()))
    assert LATER in SCHEDULE.further(adaptive.steps)
    trained = Notebook()
    ImageDdpmExperiment(adaptive, device=CPU, folder=tmp_path / "adaptive").run(trained)
    assert {point.step for point in trained.points if point.metric == "f_mem"} == set(SCHEDULE.steps(adaptive.steps))
    assert {int(state.stem) for state in trained.checkpoints} == set(SCHEDULE.saved(adaptive.steps))
    checkpoint = next(state for state in trained.checkpoints if int(state.stem) == LATER)
    assert ImageDdpmExperiment(adaptive, device=CPU, folder=tmp_path / "later").evaluate(trained, checkpoint, step=LATER)
    steps = sorted({*SCHEDULE.steps(adaptive.steps), LATER})
    named = Notebook()
    explicit = spec(measurement=measured_with({"kind": "explicit", "at": steps}))
    ImageDdpmExperiment(explicit, device=CPU, folder=tmp_path / "explicit").run(named)
    found = {(point.metric, point.step): point for point in trained.points if point.step in steps}
    assert found == {(point.metric, point.step): point for point in named.points}
    assert ("f_mem", LATER) in found and any(metric.startswith("grid_") for metric, _ in found)
