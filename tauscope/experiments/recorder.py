"""Where a run's results go as they appear; the run does not know whether a service or a command line listens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tauscope.contracts.points import Point


class Recorder(Protocol):
    """Receives results in the order of training; everything up to a checkpoint comes before it."""

    def dataset(self, train: Path, held_out: Path) -> None:
        """The run's images have been written."""

    def progress(self, step: int, loss: float) -> None:
        """A training step is done; called about ten times a second at most."""

    def samples(self, step: int, path: Path, n_generated: int) -> None:
        """The samples of a step have been written."""

    def measured(self, step: int, points: Sequence[Point]) -> None:
        """All points of a step."""

    def checkpoint(self, step: int, weights: Path, state: Path) -> None:
        """A checkpoint has been written."""

    def should_end(self) -> bool:
        """Whether the segment is to end at this step; asked after every step."""
        ...
