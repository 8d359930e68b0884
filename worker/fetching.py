"""Bringing a checkpoint from the artifact store into a work folder, and the images of a registered data set to this machine."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from backend.storage.artifacts import ArtifactCorruptError
from backend.storage.files import CheckpointFiles
from tauscope.datasets.registered import archive_file
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
    _patiently(lambda: _copy(checkpoint, services, folder), services, beat)
    return folder / checkpoint.state[0]


def fetch_archive(spec: dict[str, Any], services: Services, *, beat: Callable[[], object]) -> None:
    """Bring the archive that a run's images come from to this machine, unless it is here.

    Raises:
        StoreAwayError: if the store does not answer in time.
        LeavingError: if the worker is asked to leave meanwhile.
    """
    sha256 = (spec.get("dataset", {}).get("registered") or {}).get("sha256")
    if sha256 and not archive_file(sha256).is_file():
        try:
            _patiently(lambda: services.store.fetch(sha256, archive_file(sha256)), services, beat)
        except ArtifactCorruptError as error:  # The run says so in its own words when it asks for its images.
            log.warning("archive_not_fetched", error=str(error))


def _patiently(copy: Callable[[], None], services: Services, beat: Callable[[], object]) -> None:
    """Copy in the background, again and again while the store is away."""
    deadline = time.monotonic() + services.settings.store_patience_seconds
    trouble = "the artifact store does not answer"
    while True:
        copying = in_background(copy, name="fetch-from-store")
        while not copying.done():
            _check_patience(services, deadline, trouble)
            time.sleep(0.02)
            beat()
        try:
            copying.result()
        except OSError as error:
            trouble = str(error)
            log.warning("not_fetched", error=trouble)
            _check_patience(services, deadline, trouble)
            time.sleep(services.settings.flush_seconds)
            continue
        return


def _check_patience(services: Services, deadline: float, trouble: str) -> None:
    if services.leaving:
        raise LeavingError(services.leaving)
    if time.monotonic() >= deadline:
        raise StoreAwayError(trouble)


def _copy(checkpoint: CheckpointFiles, services: Services, folder: Path) -> None:
    for path, sha256 in (checkpoint.weights, checkpoint.state):
        services.store.fetch(sha256, folder / path)
