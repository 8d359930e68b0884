"""Windows of a series, parted by time so that none that is trained on comes near one that is held out."""

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

PERMUTATION_SEED = 0


class Region(NamedTuple):
    """Steps [start, stop) of the series."""

    start: int
    stop: int


@dataclass(frozen=True)
class Windows:
    """Windows in standard units, each with the step of the series at which it begins."""

    values: Float[ndarray, "window channel time"]
    starts: Int[ndarray, " window"]


@dataclass(frozen=True)
class WindowSplit:
    """What a run is given.

    Attributes:
        train: in the fixed random order in which they were chosen.
        held_out: in the order of time; none overlaps another.
        channels: their names.
        mean, std: by channel, of the training part of the series, in the units of the file.
        n_train_pool, n_held_out_pool: how many windows each part has that lack no value.
        n_incomplete: how many more it would have.
        remarks: what was done to the series, in sentences.
    """

    train: Windows
    held_out: Windows
    channels: tuple[str, ...]
    mean: Float[ndarray, " channel"]
    std: Float[ndarray, " channel"]
    n_train_pool: int
    n_held_out_pool: int
    n_incomplete: int
    series_sha256: str
    remarks: tuple[str, ...]

    def sha256(self) -> str:
        """The digest of exactly these windows."""
        digest = hashlib.sha256()
        for part in (self.train, self.held_out):
            digest.update(repr(part.values.shape).encode())
            digest.update(np.ascontiguousarray(part.values).tobytes())
            digest.update(part.starts.tobytes())
        return digest.hexdigest()

    def record(self, spec: SeriesSpec) -> dict[str, Any]:
        """What is kept with the run."""
        return {
            "spec": spec.model_dump(mode="json"),
            "sha256": self.sha256(),
            "series_sha256": self.series_sha256,
            "channels": list(self.channels),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "pool": {"train": self.n_train_pool, "held_out": self.n_held_out_pool, "incomplete": self.n_incomplete},
            "starts": {"train": self.train.starts.tolist(), "held_out": self.held_out.starts.tolist()},
            "remarks": list(self.remarks),
        }


def regions(n_steps: int, spec: SeriesSpec) -> tuple[list[Region], list[Region]]:
    """The steps to train on and those held out; at least ``spec.gap_steps`` lie between any two of different kind."""
    gap, share = spec.gap_steps, spec.held_out_share
    if spec.split == "tail":
        cut = round((n_steps - gap) * (1 - share))
        return [Region(0, cut)], [Region(cut + gap, n_steps)]
    part = round((spec.block - 2 * gap) * (1 - share))
    begins = range(0, n_steps, spec.block)
    train = [Region(begin, min(begin + part, n_steps)) for begin in begins]
    held_out = [Region(begin + part + gap, min(begin + spec.block - gap, n_steps)) for begin in begins]
    return train, held_out


def take_windows(series: RawSeries, spec: SeriesSpec) -> WindowSplit:
    """Cut, choose and standardise the windows of a series at even steps.

    Raises:
        DatasetError: if there are too few windows, if one overlaps all others that are trained on, or if a channel does not vary on
            the training part.
    """
    parts = regions(len(series.values), spec)
    strides = (spec.stride, max(spec.stride, spec.length))  # Intervals take held-out windows as independent; overlapping ones are not.
    candidates = [_starts(_within(series, where), spec.length, stride) for where, stride in zip(parts, strides, strict=True)]
    train_pool, held_out_pool = (_complete(starts, series.values, spec.length) for starts in candidates)
    chosen = _chosen(train_pool, spec.n_train, spec.subset, "n_train", spec)
    _check_apart(chosen, spec)
    held_out = np.sort(_chosen(held_out_pool, spec.n_held_out, 0, "n_held_out", spec))
    mean, std = _scale(series, parts[0])
    n_incomplete = sum(map(len, candidates)) - len(train_pool) - len(held_out_pool)
    return WindowSplit(
        _cut(series.values, chosen, spec.length, mean, std),
        _cut(series.values, held_out, spec.length, mean, std),
        series.channels,
        mean,
        std,
        len(train_pool),
        len(held_out_pool),
        n_incomplete,
        series.sha256,
        (*series.remarks, *_remarks(n_incomplete, spec)),
    )


def _within(series: RawSeries, where: list[Region]) -> list[Region]:
    """The regions, parted where one recording ends and another begins."""
    cuts = series.cuts
    return [
        Region(int(start), int(stop))
        for region in where
        for start, stop in pairwise([region.start, *cuts[(cuts > region.start) & (cuts < region.stop)], region.stop])
    ]


def _starts(where: list[Region], length: int, stride: int) -> Int[ndarray, " window"]:
    return np.concatenate([np.arange(region.start, max(region.stop - length, region.start - 1) + 1, stride) for region in where])


def _complete(starts: Int[ndarray, " window"], values: Float[ndarray, "row channel"], length: int) -> Int[ndarray, " window"]:
    lacking = np.concatenate([[0], np.isnan(values).any(1).cumsum()])
    return starts[lacking[starts + length] == lacking[starts]]


def _chosen(pool: Int[ndarray, " window"], count: int, subset: int, field: str, spec: SeriesSpec) -> Int[ndarray, " window"]:
    """The subset-th ``count`` of a pool in one fixed random order, so that a smaller n is part of a larger one."""
    end = (subset + 1) * count
    if end > len(pool):
        part = "training" if field == "n_train" else "held-out"
        raise DatasetError(
            f"the {part} part of {spec.name} has {len(pool):,} complete windows of length {spec.length}; {end:,} are asked for",
            f"Lower dataset.{field}, dataset.length{' or dataset.stride' if part == 'training' else ''}, change dataset.held_out_share,"
            " or fill missing values",
            field=f"dataset.{field}",
        )
    order = np.random.default_rng(PERMUTATION_SEED).permutation(len(pool))
    return pool[order[end - count : end]]


def _check_apart(starts: Int[ndarray, " window"], spec: SeriesSpec) -> None:
    """A gap ratio needs two windows that share no step."""
    furthest = np.maximum(starts.max() - starts, starts - starts.min())
    if (furthest < spec.length).any():
        raise DatasetError(
            f"of {spec.n_train} training windows one overlaps all others: no sample of it could be told as a copy",
            "Raise dataset.n_train or dataset.stride",
            field="dataset.n_train",
        )


def _scale(series: RawSeries, train: list[Region]) -> tuple[Float[ndarray, " channel"], Float[ndarray, " channel"]]:
    seen = np.concatenate([series.values[start:stop] for start, stop in train])
    mean, std = np.nanmean(seen, axis=0), np.nanstd(seen, axis=0)
    constant = np.flatnonzero(~(std > 1e-12 * np.maximum(np.abs(mean), 1e-300)))
    if len(constant):
        name = series.channels[constant[0]]
        raise DatasetError(
            f"column {name} of {series.where} has one value, {mean[constant[0]]:g}, on the training part: it cannot be standardised",
            "Leave it out of dataset.channels",
            field="dataset.channels",
        )
    return mean, std


def _cut(values: ndarray, starts: Int[ndarray, " window"], length: int, mean: ndarray, std: ndarray) -> Windows:
    steps = starts[:, None] + np.arange(length)
    return Windows(((values[steps] - mean) / std).transpose(0, 2, 1).astype(np.float32), starts)


def _remarks(n_incomplete: int, spec: SeriesSpec) -> list[str]:
    told = [f"{n_incomplete:,} windows are left out for missing values"] * bool(n_incomplete)
    if spec.stride < spec.length:
        told.append(
            f"training windows overlap: stride {spec.stride} is below length {spec.length}, so two subsets share steps,"
            " and the second-nearest window of a gap ratio is one that shares no step with the nearest"
        )
    return told
