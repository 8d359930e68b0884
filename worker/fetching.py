"""Bringing a checkpoint from the artifact store into a work folder."""

import time
from collections.abc import Callable
from pathlib import Path

import structlog

from backend.storage.files import CheckpointFiles
from worker.background import in_background
from worker.services import Services

log = structlog.get_logger()


class StoreAwayError(Exception):
    """The artifact store did not deliver a checkpoint within the worker's patience."""


class LeavingError(StoreAwayError):
    """The worker was asked to leave while the store was away; nothing is wrong with the run."""


def fetch(checkpoint: CheckpointFiles, services: Services, folder: Path, *, beat: Callable[[], object]) -> Path:
    """Copy and verify a checkpoint's files, and return its state file; ``beat`` is called all the while.

    Raises:
        StoreAwayError: if the store does not answer in time.
        LeavingError: if the worker is asked to leave meanwhile.
        ArtifactCorruptError: if a file is gone or damaged.
    """
    deadline = time.monotonic() + services.settings.store_patience_seconds
    trouble = "the artifact store does not answer"
    while True:
        copying = in_background(lambda: _copy(checkpoint, services, folder), name="fetch-checkpoint")
        while not copying.done():
            _check_patience(services, deadline, trouble)
            time.sleep(0.02)
            beat()
        try:
            copying.result()
        except OSError as error:
            trouble = str(error)
            log.warning("checkpoint_not_fetched", step=checkpoint.step, error=trouble)
            _check_patience(services, deadline, trouble)
            time.sleep(services.settings.flush_seconds)
            continue
        return folder / checkpoint.state[0]


def _check_patience(services: Services, deadline: float, trouble: str) -> None:
    if services.leaving:
        raise LeavingError(services.leaving)
    if time.monotonic() >= deadline:
        raise StoreAwayError(trouble)


def _copy(checkpoint: CheckpointFiles, services: Services, folder: Path) -> None:
    for path, sha256 in (checkpoint.weights, checkpoint.state):
        services.store.fetch(sha256, folder / path)
