"""One seed at every checkpoint: its numbers, and its film as one picture."""

import hashlib

import numpy as np

from backend.services.context import Context
from backend.services.errors import NoImageError, NoSamplesError
from backend.services.experiments import required_run
from backend.services.images import Sheet, sheet_of, train_file
from backend.storage.reading import reading
from backend.storage.sampled import measured_files
from backend.storage.tables import RunFile
from tauscope.contracts.samples import SeedView, version_of
from tauscope.specs.measurement import GAP_THRESHOLD


def seed_view(context: Context, run_id: str, seed: int) -> SeedView:
    """The sample of a seed at every measured checkpoint.

    Raises:
        NoSamplesError: if nothing is measured yet.
        NoImageError: if there is no such seed.
    """
    files = _files(context, run_id)
    found = [context.images.neighbours(file.sha256) for file in files]
    if any(seed >= len(item.nearest) for item in found):
        raise NoImageError(f"There is no seed {seed}: they are numbered 0 to {len(found[0].nearest) - 1}", "Choose one of these")
    ratios = [float(item.gap_ratio[seed]) for item in found]
    steps = [file.step or 0 for file in files]
    copies = [ratio < GAP_THRESHOLD for ratio in ratios]
    return SeedView(
        run_id=run_id,
        seed=seed,
        step=tuple(steps),
        gap_ratio=tuple(ratios),
        nearest=tuple(int(item.nearest[seed, 0]) for item in found),
        is_copy=tuple(copies),
        first_copied_at=next((step for step, copy in zip(steps, copies, strict=True) if copy), None),
        version=_version(files),
    )


def film(context: Context, run_id: str, seed: int, scale: int) -> Sheet:
    """Two rows, a column a checkpoint: the sample, and below it its nearest training image."""
    view = seed_view(context, run_id, seed)
    train = train_file(context, run_id)
    samples = [context.images.row(file.sha256, "samples", seed) for file in _files(context, run_id)]
    nearest = [context.images.load(train.sha256, "images")[index] for index in view.nearest]
    return sheet_of(np.stack([*samples, *nearest[: len(samples)]]), columns=len(samples), scale=scale)


def _files(context: Context, run_id: str) -> list[RunFile]:
    with reading(context.sessions) as session:
        required_run(session, run_id)
        files = measured_files(session, run_id)
    if not files:
        raise NoSamplesError(f"Run {run_id} has no measured samples yet", "They come with its first checkpoint")
    return files


def _version(files: list[RunFile]) -> str:
    return version_of(hashlib.sha256("".join(file.sha256 for file in files).encode()).hexdigest())
