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


def fetch(checkpoint: CheckpointFiles, services: Services, folder: Path, *, beat: Callable[[], object]) -> Path:
    """Copy and verify a checkpoint's files, and return its state file; ``beat`` is called all the while.

    Raises:
        StoreAwayError: if the store does not answer in time.
        ArtifactCorruptError: if a file is gone or damaged.
    """
    deadline = time.monotonic() + services.settings.store_patience_seconds
    while True:
        copying = in_background(lambda: _copy(checkpoint, services, folder), name="fetch-checkpoint")
        while not copying.done() and time.monotonic() < deadline:
            time.sleep(0.02)
            beat()
        if not copying.done():
            raise StoreAwayError("the artifact store does not answer")
        try:
            copying.result()
        except OSError as error:
            log.warning("checkpoint_not_fetched", step=checkpoint.step, error=str(error))
            if time.monotonic() >= deadline:
                raise StoreAwayError(str(error)) from error
            time.sleep(services.settings.flush_seconds)
            continue
        return folder / checkpoint.state[0]


def _copy(checkpoint: CheckpointFiles, services: Services, folder: Path) -> None:
    for path, sha256 in (checkpoint.weights, checkpoint.state):
        services.store.fetch(sha256, folder / path)
