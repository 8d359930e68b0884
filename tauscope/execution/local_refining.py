"""Sampling the saved checkpoints of a local run with an adaptive schedule, once it is trained."""

from collections.abc import Sequence
from pathlib import Path

from tauscope.analysis.refinement import DRAWN
from tauscope.contracts.points import Point
from tauscope.execution.trainer_process import TrainerProcess
from tauscope.specs import ExperimentSpec

NEWEST = 2  # To go on from, should the run be asked for more steps, and one to fall back to.


def draw(child: TrainerProcess, spec: ExperimentSpec, folder: Path, step: int) -> None:
    """Let a child draw and measure the samples of a step, from its checkpoint or, where that is gone, from the one before."""
    earlier = [state for state in _states(folder) if int(state.stem) <= step]
    child.evaluate(spec, folder, earlier[-1] if earlier else None, step=step)


def drop_unsampled(spec: ExperimentSpec, folder: Path, points: Sequence[Point]) -> None:
    """Drop the checkpoints that were saved to be sampled and were not, but for the newest."""
    schedule = spec.adaptive_schedule
    if schedule is None:
        return
    unsampled = schedule.further(spec.steps) - {point.step for point in points if point.metric == DRAWN}
    for state in _states(folder)[:-NEWEST]:
        if int(state.stem) in unsampled:
            state.with_suffix(".safetensors").unlink(missing_ok=True)
            state.unlink()


def _states(folder: Path) -> list[Path]:
    """The state files of the checkpoints, by step."""
    found = (file for file in (folder / "checkpoints").glob("*.json") if file.stem.isdigit())
    return sorted(found, key=lambda file: int(file.stem))
