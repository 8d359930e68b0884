"""Check a results folder against itself: recompute f_mem and the onsets from the images, by other means than the run's.

The neighbours are found by brute force in float64 NumPy, with none of the code that found them first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.analysis.summary import find_markers, summarize_points
from tauscope.analysis.twins import cosine_metric
from tauscope.contracts.points import Point
from tauscope.contracts.summary import RunSummary
from tauscope.metrics.intervals import clopper_pearson
from tauscope.results.folder import read_measurements, read_spec, read_summary, training_points
from tauscope.specs import KINDS
from tauscope.specs.measurement import GAP_THRESHOLD
from tauscope.specs.twins import find_pairs

BLOCK_ELEMENTS = 2**24


@dataclass(frozen=True)
class Finding:
    """One disagreement between a folder's files."""

    run: str
    what: str


@dataclass(frozen=True)
class Verification:
    """What was checked, and every disagreement found."""

    n_runs: int
    n_checkpoints: int
    n_samples: int
    findings: tuple[Finding, ...]


def verify_folder(folder: Path) -> Verification:
    """Recompute f_mem at every checkpoint and the onsets of every run.

    Raises:
        FileNotFoundError: if a file that the layout promises is missing, naming it.
    """
    spec, summary, measurements = read_spec(folder), read_summary(folder), read_measurements(folder)
    by_id = {run.id: run for run in summary.runs}
    findings: list[Finding] = []
    n_checkpoints = n_samples = 0
    for entry in spec["runs"]:
        name = entry["run"]
        points = measurements.get(name, [])
        files = sorted((folder / "runs" / name / "samples").glob("*.npz"), key=lambda file: int(file.stem))
        recomputed = list(recompute(folder / "runs" / name, files)) if files else []
        n_checkpoints += len(files)
        n_samples += sum(point.count or 0 for point in recomputed)
        findings += [Finding(name, text) for text in _compare_points(points, recomputed)]
        if name not in by_id:
            findings.append(Finding(name, "is in spec.json and not in summary.json"))
            continue
        others = [point for point in points if point.metric != "f_mem"]
        findings += [Finding(name, text) for text in _compare_onsets(entry["spec"], by_id[name], [*others, *recomputed])]
    findings += _check_twins(folder, spec["runs"], measurements)
    return Verification(len(spec["runs"]), n_checkpoints, n_samples, tuple(findings))


def recompute(run: Path, files: list[Path]) -> Iterator[Point]:
    """f_mem at the checkpoints of a run whose samples are in ``files``; other neighbours than the stored ones are the point's reason."""
    if not files:
        return  # Some kinds draw no samples.
    with np.load(run / "train.npz") as archive:
        train, starts = training_points(archive), archive.get("starts")
    for file in files:
        with np.load(file) as archive:
            samples, stored = archive["samples"], archive["neighbours"]
        distances, index = brute_force_two_nearest(samples, train, starts)
        copies = int((distances[:, 0] / distances[:, 1] < GAP_THRESHOLD).sum())
        low, high = clopper_pearson(copies, len(samples))
        wrong = int((index != stored).any(axis=1).sum())
        reason = f"{wrong} samples have other neighbours than stored" if wrong else None
        yield Point(step=int(file.stem), metric="f_mem", value=copies / len(samples), low=low, high=high, count=len(samples), reason=reason)


def brute_force_two_nearest(
    images: Float[ndarray, "image ..."], train: Float[ndarray, "n_train ..."], starts: Int[ndarray, " n_train"] | None = None
) -> tuple[Float[ndarray, "image 2"], Int[ndarray, "image 2"]]:
    """Distances to, and indices of, the two nearest distinct training images, by direct difference in float64.

    Of windows of a series, which begin at ``starts``, the second is the nearest that shares no step with the first.
    """
    flat_train = train.reshape(len(train), -1)
    _, first = np.unique(flat_train, axis=0, return_index=True)
    first = np.sort(first)
    references = flat_train[first].astype(np.float64)
    queries = images.reshape(len(images), -1).astype(np.float64)
    rows = max(1, BLOCK_ELEMENTS // references.size)
    blocks = [queries[start : start + rows] for start in range(0, len(queries), rows)]
    squared = np.concatenate([((block[:, None, :] - references) ** 2).sum(2) for block in blocks])
    if starts is not None:
        apart = np.abs(starts[first][:, None] - starts[first]) >= train.shape[2]
        nearest = squared.argmin(1)
        squared[~apart[nearest] & (np.arange(len(first)) != nearest[:, None])] = np.inf
    order = np.argsort(squared, axis=1, kind="stable")[:, :2]
    return np.sqrt(np.take_along_axis(squared, order, axis=1)), first[order]


def _compare_points(points: list[Point], recomputed: list[Point]) -> Iterator[str]:
    recorded = {point.step: point for point in points if point.metric == "f_mem" and point.value is not None}
    for point in recomputed:
        mine = recorded.pop(point.step, None)
        if mine is None:
            yield f"step {point.step} has samples and no f_mem in measurements.parquet"
        elif (mine.value, mine.count) != (point.value, point.count):
            yield f"f_mem at step {point.step} is recorded as {mine.value} of {mine.count} and recomputed as {point.value} of {point.count}"
        if point.reason:
            yield f"step {point.step}: {point.reason}"
    yield from (f"step {step} has f_mem in measurements.parquet and no samples" for step in recorded)


def _check_twins(folder: Path, entries: list[dict[str, Any]], measurements: dict[str, list[Point]]) -> Iterator[Finding]:
    """Recompute the agreement of twins where both have predictions, point by point."""
    specs = [KINDS[entry["spec"]["kind"]].model_validate(entry["spec"]) for entry in entries]
    for places in find_pairs(specs):
        names = [entries[place]["run"] for place in places]
        recomputed = dict(_mean_cosines(*(folder / "runs" / name / "predictions" for name in names)))
        for name in names:
            metric = cosine_metric(specs[places[0]])
            recorded = {
                point.step: point.value for point in measurements.get(name, []) if point.metric == metric and point.value is not None
            }
            for step, value in sorted(recorded.items()):  # A folder exported under way may lack the comparison of its last steps.
                again = recomputed.get(step)
                if again is None or abs(value - again) > 1e-9:  # The order of summation differs.
                    yield Finding(name, f"{metric} at step {step} is recorded as {value} and recomputed as {again}")


def _mean_cosines(one: Path, other: Path) -> Iterator[tuple[int, float]]:
    for file in sorted(one.glob("*.npz")):
        if not (other / file.name).is_file():
            continue
        with np.load(file) as mine, np.load(other / file.name) as theirs:
            pairs = zip(mine["predictions"].astype(np.float64), theirs["predictions"].astype(np.float64), strict=True)
            yield int(file.stem), float(np.mean([np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)) for a, b in pairs]))


def _compare_onsets(spec: dict[str, object], summary: RunSummary, points: list[Point]) -> Iterator[str]:
    model = KINDS[str(spec["kind"])].model_validate(spec)
    onsets, _ = summarize_points(model, [point.model_copy(update={"reason": None}) for point in points])
    for name, onset in onsets.items():
        if summary.onsets.get(name) != onset:
            yield f"{name} is recorded as {summary.onsets.get(name)} and recomputed as {onset}"
    for name, marker in find_markers(model, points).items():
        if summary.markers.get(name, marker) != marker:  # Folders from before there were markers hold none.
            yield f"{name} is recorded as {summary.markers[name]} and recomputed as {marker}"
