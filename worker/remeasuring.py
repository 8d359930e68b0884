"""Measuring a checkpoint again in another way, for a set of points beside the run's own."""

from pathlib import Path

from sqlalchemy.orm import Session

from backend.storage.artifacts import ArtifactCorruptError
from backend.storage.files import CheckpointFiles
from backend.storage.remeasuring import RemeasurementClaim, complete_remeasurement, give_back_remeasurement, renew_remeasurement
from tauscope.specs import ExperimentSpec
from tauscope.specs.remeasuring import with_changes
from worker.evaluating import CheckpointUnusableError, CheckpointWork
from worker.fetching import fetch
from worker.outgoing import Batch


class Remeasuring(CheckpointWork[RemeasurementClaim]):
    """Measures a claimed checkpoint again. Its samples go with the work folder; the same request draws the same ones."""

    @property
    def owner(self) -> str:
        return self._claim.remeasurement_id

    def _command(self, spec: ExperimentSpec, state: Path | None) -> None:
        claim = self._claim
        if state is None and not claim.from_scratch:
            raise CheckpointUnusableError(
                f"the checkpoint of step {claim.step} is gone or damaged, and code version {claim.code_version} did not write it:"
                " to train it again there would be another run's weights"
            )
        for checkpoint in claim.beside:
            self._bring(checkpoint)
        self._slot.warm().evaluate(spec, self._folder, state, step=claim.step, measured_as=with_changes(spec, claim.changes))

    def _bring(self, checkpoint: CheckpointFiles) -> None:
        """Put a checkpoint that is referred to beside the one that is measured."""
        try:
            fetch(checkpoint, self._services, self._folder, beat=self._beat)
        except ArtifactCorruptError as error:
            raise CheckpointUnusableError(f"the checkpoint of step {checkpoint.step}, which it refers to, is gone or damaged") from error

    def _renew(self, session: Session) -> None:
        renew_remeasurement(session, self._claim)

    def _complete(self, session: Session, batch: Batch) -> None:
        complete_remeasurement(session, self._claim, batch.points, from_step=self._fetched)

    def _release(self, session: Session, trouble: str, *, excused: bool) -> None:
        give_back_remeasurement(session, self._claim, trouble, excused=excused)
