"""What is known of the copies of runs, by the content of their files."""

from functools import lru_cache
from typing import NamedTuple

from backend.services.image_cache import ImageCache, read_arrays, read_shape
from backend.storage.artifacts import ArtifactStore
from tauscope.analysis.copied import CopyRecord, SampledCheckpoint, count_copies
from tauscope.analysis.typicality import Distinct, Typicality, comparisons, measure_typicality
from tauscope.specs.measurement import GAP_THRESHOLD

MOST_COMPARISONS = 10**11  # About ten seconds on two shared cores: 9,900 training images of 32 x 32 pixels.
_RUNS, _TRAINING_SETS = 8, 16  # A run of 32,768 images and 30 checkpoints takes 8 MB.


class CopyFiles(NamedTuple):
    """SHA-256 of the files of a run that copies are told from; of its samples by step, increasing."""

    run_id: str
    train: str
    held_out: str | None
    samples: tuple[tuple[int, str], ...]


class CopiedCache:
    """The least recently used leave first. The neighbours of samples are remembered with the images."""

    def __init__(self, artifacts: ArtifactStore, images: ImageCache, *, most_comparisons: int = MOST_COMPARISONS) -> None:
        self._artifacts = artifacts
        self._images = images
        self._most_comparisons = most_comparisons
        self.record = lru_cache(_RUNS)(self._record)
        self._training_set = lru_cache(_TRAINING_SETS)(self._measure)

    def _record(self, files: CopyFiles) -> CopyRecord:
        distinct, typicality = self._training_set(files.train, files.held_out)
        missing = "" if typicality else "the training set is too large to compare here: export the run and use `tauscope copied FOLDER`"
        checkpoints = [self._checkpoint(step, sha256) for step, sha256 in files.samples]
        return count_copies(files.run_id, checkpoints, distinct, typicality, typicality_missing=missing)

    def _checkpoint(self, step: int, sha256: str) -> SampledCheckpoint:
        found = self._images.neighbours(sha256)
        return SampledCheckpoint(step, found.nearest[:, 0], found.distances[:, 0], found.gap_ratio < GAP_THRESHOLD)

    def _measure(self, train: str, held_out: str | None) -> tuple[Distinct, Typicality | None]:
        images = read_arrays(self._artifacts, train, "images")["images"]
        distinct = Distinct.of(images)
        compared = read_shape(self._artifacts, held_out, "images") if held_out else None
        if comparisons(images.shape, compared) > self._most_comparisons:
            return distinct, None
        others = read_arrays(self._artifacts, held_out, "images")["images"] if held_out else None
        return distinct, measure_typicality(images, distinct, others)
