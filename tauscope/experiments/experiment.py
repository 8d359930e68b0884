"""What every experiment kind does for whoever runs it."""

from pathlib import Path
from typing import Any, Protocol

import torch

from tauscope.datasets.preparing import Progress, unwatched
from tauscope.experiments.recorder import Recorder
from tauscope.specs import ExperimentSpec
from tauscope.training.team import Team


class Experiment(Protocol):
    """One run, ready on its device.

    Args:
        spec: the run, resolved, of this kind.
        device: where to compute.
        folder: the run's folder; all that is kept of it is written below it.
        progress: told how much of the data is prepared, where it is not yet.
        team: with whom each training batch is shared.
    """

    def __init__(
        self, spec: Any, *, device: torch.device, folder: Path, progress: Progress = unwatched, team: Team | None = None
    ) -> None: ...

    @property
    def step(self) -> int:
        """Steps done."""
        ...

    def begin(self, checkpoint: Path | None) -> None:
        """Go on from a checkpoint, or from where the spec begins."""
        ...

    def advance(self) -> None:
        """Do one step, and measure nothing."""
        ...

    def run(self, recorder: Recorder, *, checkpoint: Path | None = None) -> bool:
        """Go on from the checkpoint until the steps are done or the recorder ends the segment; whether the run has all its steps."""
        ...

    def evaluate(self, recorder: Recorder, checkpoint: Path | None, *, step: int) -> bool:
        """Measure what another process has left at a step, to the same numbers; whether it was done."""
        ...

    def remeasure(self, recorder: Recorder, checkpoint: Path | None, *, step: int, spec: ExperimentSpec) -> bool:
        """Measure a step again as the ``measurement`` of another spec says; whether it was done."""
        ...
