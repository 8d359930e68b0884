"""Bring the checkpoint that a run resumes from into its work folder."""

from pathlib import Path

import structlog

from backend.storage.artifacts import ArtifactCorruptError
from backend.storage.claims import accept_other_code, fall_back
from backend.storage.files import CheckpointFiles
from worker.fetching import fetch
from worker.recorder import Recorder
from worker.services import Services
from worker.settings import WorkerSettings

log = structlog.get_logger()


class OtherCodeError(Exception):
    """The run's checkpoint was written by other code, and the policy is to refuse."""


def fetch_checkpoint(recorder: Recorder, services: Services, folder: Path) -> Path | None:
    """The state file of the newest whole checkpoint, fetched and verified; ``None`` to start afresh.

    A damaged checkpoint is given up for the one before it. The lease is kept meanwhile.

    Raises:
        StoreAwayError: if the store does not answer in time.
        FencedError: if the run is no longer this claim's.
    """
    while (checkpoint := recorder.claim.checkpoint) is not None:
        try:
            return fetch(checkpoint, services, folder, beat=recorder.flush_if_due)
        except ArtifactCorruptError as error:
            _give_up(checkpoint, recorder, str(error))
    return None


def check_code(recorder: Recorder, settings: WorkerSettings) -> None:
    """Let a run go on under other code than wrote its checkpoint only if the worker's policy says so, and record it.

    A worker that refuses claims no such run; falling back from a damaged checkpoint may still lead to one.

    Raises:
        OtherCodeError: under the policy ``refuse``.
        FencedError: if the run is no longer this claim's.
    """
    claim = recorder.claim
    if claim.checkpoint is None or claim.resumed_version in (None, claim.code_version):
        return
    if settings.code_version_policy == "refuse":
        raise OtherCodeError(f"code version {claim.resumed_version} wrote the checkpoint of step {claim.checkpoint.step}")
    log.warning("code_version_changed", run=claim.run_id, checkpoint=claim.resumed_version, worker=claim.code_version)
    recorder.persistence.persist(lambda session: accept_other_code(session, claim))


def _give_up(checkpoint: CheckpointFiles, recorder: Recorder, cause: str) -> None:
    log.warning("checkpoint_damaged", run=recorder.claim.run_id, step=checkpoint.step, error=cause)
    recorder.rewind(recorder.persistence.persist(lambda session: fall_back(session, recorder.claim, checkpoint.step, cause)))
