"""Where a run's results go as they appear; the run does not know whether a service or a command line listens."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from tauscope.contracts.points import Point


class Recorder(Protocol):
    """Receives results in the order of training; everything up to a checkpoint comes before it."""

    def dataset(self, train: Path, held_out: Path, record: Path) -> None:
        """The run's images have been written, and the record of where they come from."""

    def progress(self, step: int, loss: float) -> None:
        """A training step is done; called about ten times a second at most."""

    def defers_samples(self) -> bool:
        """Whether the samples that are due now are left to another process; asked before they are drawn."""
        ...

    def sampling(self, step: int, share: float) -> bool:
        """This share of a step's samples is drawn. ``False`` asks to break off, which leaves them to another process."""
        ...

    def samples(self, step: int, path: Path, n_generated: int) -> None:
        """The samples of a step have been written."""

    def predictions(self, step: int, path: Path) -> None:
        """The predictions of a step, which those of a twin are compared with, have been written."""

    def measured(self, step: int, points: Sequence[Point]) -> None:
        """All points of a step."""

    def checkpoint(self, step: int, weights: Path, state: Path, *, unevaluated: bool) -> None:
        """A checkpoint has been written; ``unevaluated`` when its samples are left to another process."""

    def should_end(self) -> bool:
        """Whether the segment is to end at this step; asked after every step."""
        ...
