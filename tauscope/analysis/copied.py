"""Which training images a run copies, when first, by how many samples, and how typical they are.

A sample copies its nearest training image if its gap ratio is below 1/3, as f_mem counts it. Of equal training images the
first stands for all. Under no copying every count is 0 but for the rate of the control. Where a checkpoint has copies, chance is
that each falls on any training image alike: counts are then binomial, and the most copied image of many exceeds their 95 % range
by selection alone, for which ``UniformCopying.most`` allows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from tauscope.analysis.chance import rank_correlation, uniform_copying, uniform_range
from tauscope.analysis.typicality import Distinct, Typicality
from tauscope.contracts.copied import CopiedImage, CopiedImages, CopiesAndTypicality, UnmeasuredStep
from tauscope.metrics.intervals import clopper_pearson

FEWEST_IMAGES = 10
"""Below it an interval for a rank correlation would be no more than [-1, 1]."""


@dataclass(frozen=True)
class SampledCheckpoint:
    """The samples of a measured checkpoint: index of, and distance to, the nearest training image of each, and whether it is a copy."""

    step: int
    nearest: Int[ndarray, " sample"]
    distance: Float[ndarray, " sample"]
    is_copy: Bool[ndarray, " sample"]


@dataclass(frozen=True)
class CopyRecord:
    """What is known of a run's copies.

    Attributes:
        steps: measured checkpoints, increasing; with the samples drawn at each.
        copies: samples that copy an image, at each checkpoint.
        closest: the same of as many samples as are copies, but those nearest to their training image.
        seeds: distinct seeds that copy it at one checkpoint or more.
    """

    run_id: str
    steps: tuple[int, ...]
    n_generated: tuple[int, ...]
    copies: Int[ndarray, "step distinct"]
    closest: Int[ndarray, "step distinct"]
    seeds: Int[ndarray, " distinct"]
    distinct: Distinct
    typicality: Typicality | None
    typicality_missing: str = ""


def count_copies(
    run_id: str,
    checkpoints: Sequence[SampledCheckpoint],
    distinct: Distinct,
    typicality: Typicality | None,
    *,
    typicality_missing: str = "",
) -> CopyRecord:
    """Count the copies of every distinct training image at every checkpoint.

    Raises:
        ValueError: without a checkpoint.
    """
    if not checkpoints:
        raise ValueError("no checkpoint is measured, so no copy is known")
    width = len(distinct.image)
    copied = [np.searchsorted(distinct.image, item.nearest[item.is_copy]) for item in checkpoints]
    closest = [np.searchsorted(distinct.image, item.nearest[_closest(item)]) for item in checkpoints]
    # A pair of seed and image counts once, however many checkpoints show it.
    pairs = [seed * width + image for image, seed in zip(copied, (np.flatnonzero(item.is_copy) for item in checkpoints), strict=True)]
    return CopyRecord(
        run_id=run_id,
        steps=tuple(item.step for item in checkpoints),
        n_generated=tuple(len(item.is_copy) for item in checkpoints),
        copies=_counts(copied, width),
        closest=_counts(closest, width),
        seeds=np.bincount(np.unique(np.concatenate(pairs)) % width, minlength=width),
        distinct=distinct,
        typicality=typicality,
        typicality_missing=typicality_missing,
    )


def copied_images(
    record: CopyRecord,
    step: int,
    *,
    offset: int = 0,
    limit: int | None = None,
    image: int | None = None,
    unmeasured: Sequence[UnmeasuredStep] = (),
    point: str = "image",
) -> CopiedImages:
    """Records by image, the most copied at a step first; from ``offset`` on at most ``limit``, or that of ``image`` alone.

    Raises:
        ValueError: if ``step`` is not measured.
    """
    at = record.steps.index(step)
    counts = record.copies[at]
    order = np.lexsort((record.distinct.image, -record.seeds, -counts))
    asked = order if image is None else order[record.distinct.image[order] == image]
    shown = asked[offset:] if limit is None else asked[offset : offset + limit]
    typical = record.typicality
    rows = _Rows(record, at)
    return CopiedImages(
        run_id=record.run_id,
        point=point,
        step=step,
        steps=record.steps,
        unmeasured=tuple(unmeasured),
        n_generated=record.n_generated[at],
        n_copies=int(counts.sum()),
        n_train=record.distinct.n_train,
        n_distinct=len(counts),
        n_copied=int((counts > 0).sum()),
        n_copied_ever=int((record.seeds > 0).sum()),
        **_control(typical),
        uniform=uniform_copying(int(counts.sum()), record.distinct),
        typicality=_association(record, counts),
        typicality_by_distance=_association(record, record.closest[at]),
        typicality_missing=record.typicality_missing,
        offset=offset,
        total=len(asked),
        items=tuple(rows.row(place) for place in shown.tolist()),
    )


def unmeasured_steps(
    scheduled: Sequence[int], reached: int, measured: Sequence[int], told: Sequence[UnmeasuredStep]
) -> tuple[UnmeasuredStep, ...]:
    """Checkpoints without known copies, by step: those of which that is ``told``, and scheduled ones without samples up to now.

    ``reached`` is the training step that the run has come to.
    """
    known = {item.step: item for item in told if item.step not in measured}
    for step in scheduled:
        if step not in measured and step not in known:
            reason = "training has not come this far" if step > reached else "no samples are stored of this step"
            known[step] = UnmeasuredStep(step=step, state="not_sampled", reason=reason)
    return tuple(known[step] for step in sorted(known))


def _counts(images: Sequence[ndarray], width: int) -> ndarray:
    return np.stack([np.bincount(image, minlength=width) for image in images]).astype(np.int32)


def _closest(checkpoint: SampledCheckpoint) -> ndarray:
    """As many samples as are copies, those of smallest distance."""
    return np.argsort(checkpoint.distance, kind="stable")[: int(checkpoint.is_copy.sum())]


def _association(record: CopyRecord, counts: ndarray) -> CopiesAndTypicality:
    """Copies for each time the image is stored, against its distance to the nearest other image."""
    count = len(counts)
    if record.typicality is None:
        reason = record.typicality_missing
    elif count < FEWEST_IMAGES:
        reason = f"{count} distinct training images are too few for a correlation; {FEWEST_IMAGES} are needed"
    elif len(np.unique(counts)) == 1:
        reason = "no image is copied" if not counts.any() else "all images are copied equally often"
    elif len(np.unique(record.typicality.distance)) == 1:
        reason = "all images are equally far from their nearest other"
    else:
        value, low, high = rank_correlation(counts / record.distinct.equal, record.typicality.distance)
        return CopiesAndTypicality(value=value, low=low, high=high, count=count)
    return CopiesAndTypicality(value=None, count=count, reason=reason)


def _control(found: Typicality | None) -> dict[str, Any]:
    if found is None or found.n_held_out is None:
        return dict.fromkeys(("n_held_out", "n_held_out_copies", "held_out_low", "held_out_high"))
    copies = int(found.held_out_copies.sum())
    low, high = clopper_pearson(copies, found.n_held_out)
    return {"n_held_out": found.n_held_out, "n_held_out_copies": copies, "held_out_low": low, "held_out_high": high}


class _Rows:
    """Records of single images at one checkpoint."""

    def __init__(self, record: CopyRecord, at: int) -> None:
        self._record, self._at = record, at
        self._rank = record.typicality.rank if record.typicality else None
        self._total = int(record.copies[at].sum())
        weights = set(record.distinct.equal.tolist())
        self._ranges = {equal: uniform_range(self._total, equal / record.distinct.n_train) for equal in weights}
        self._intervals = {copies: clopper_pearson(copies, record.n_generated[at]) for copies in set(record.copies[at].tolist())}

    def row(self, place: int) -> CopiedImage:
        record, typical = self._record, self._record.typicality
        by_step, equal = record.copies[:, place], int(record.distinct.equal[place])
        copies, drawn = int(by_step[self._at]), record.n_generated[self._at]
        low, high = self._intervals[copies]
        expected_low, expected_high = self._ranges[equal]
        return CopiedImage(
            image=int(record.distinct.image[place]),
            equal_images=equal,
            copies=copies,
            share=copies / drawn,
            low=low,
            high=high,
            expected=self._total * equal / record.distinct.n_train,
            expected_low=expected_low,
            expected_high=expected_high,
            copies_by_step=tuple(by_step.tolist()),
            seeds=int(record.seeds[place]),
            **_first_copied(record.steps, by_step),
            **(_typical(typical, self._rank, place) if typical is not None and self._rank is not None else _UNKNOWN),
        )


_UNKNOWN: dict[str, Any] = dict.fromkeys(("nearest_image", "nearest_distance", "typicality_rank", "held_out_nearest", "held_out_copies"))


def _typical(found: Typicality, rank: ndarray, place: int) -> dict[str, Any]:
    compared = found.n_held_out is not None
    return {
        "nearest_image": int(found.nearest[place]),
        "nearest_distance": float(found.distance[place]),
        "typicality_rank": int(rank[place]),
        "held_out_nearest": int(found.held_out_nearest[place]) if compared else None,
        "held_out_copies": int(found.held_out_copies[place]) if compared else None,
    }


def _first_copied(steps: Sequence[int], by_step: ndarray) -> dict[str, int | None]:
    """Copying began between the two checkpoints, which is all that is known of its time."""
    copied = np.flatnonzero(by_step)
    first = int(copied[0]) if len(copied) else None
    before = first - 1 if first else None
    return {"first_copied_at": None if first is None else steps[first], "not_copied_at": None if before is None else steps[before]}
