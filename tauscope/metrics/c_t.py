"""The three-sample test for data-copying, C_T (Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.metrics.distances import squared_distances
from tauscope.metrics.intervals import grouped, jackknife_half_width

GROUPS = 32
LEAST_SHARE = 0.01  # Of the samples, for a cell to count.
HELD_OUT_A_CELL = 100
MOST_CELLS = 10
_ROUNDS = 50


@dataclass(frozen=True)
class _Near:
    """Rows of one set: the cell each lies in, and its distance to the nearest training image there."""

    cell: Int[ndarray, " item"]
    distance: Float[ndarray, " item"]

    def without(self, out: ndarray) -> "_Near":
        return _Near(self.cell[~out], self.distance[~out])


class ThreeSampleTest:
    """C_T against one training and one held-out set; cells and held-out distances are found once.

    Args:
        train: features of the training images, which the cells are k-means of.
        held_out: features of real images that were not trained on.
        cells: how many; by default one for every hundred held-out images, ten at most.
    """

    def __init__(self, train: Float[ndarray, "n_train dim"], held_out: Float[ndarray, "other dim"], *, cells: int | None = None) -> None:
        self._train = np.asarray(train, np.float64)
        wanted = max(1, min(len(held_out) // HELD_OUT_A_CELL, MOST_CELLS)) if cells is None else cells
        self._centres = k_means(self._train, wanted)
        self._cell_of_train = _nearest(self._train, self._centres)
        self._held_out = self._near(held_out)

    def statistic(self, features: Float[ndarray, "item dim"], *, groups: int = GROUPS) -> tuple[float, float, float]:
        """C_T of samples with its 95 % interval; (value, low, high). Far below 0 they copy, about 0 they are as far as held-out images.

        The mean over cells, by their share of held-out images, of the Mann-Whitney z of nearest training distances, samples against
        held-out; of cells with at least 1 % of the samples. The interval joins jackknives over samples and over held-out images.
        """
        near = self._near(features)
        by_sample = [_c_t(near.without(out), self._held_out) for out in _each_group(len(features), groups)]
        by_held_out = [_c_t(near, self._held_out.without(out)) for out in _each_group(len(self._held_out.cell), groups)]
        value = _c_t(near, self._held_out)
        half = float(np.hypot(jackknife_half_width(np.array(by_sample)), jackknife_half_width(np.array(by_held_out))))
        return value, value - half, value + half

    def _near(self, features: ndarray) -> _Near:
        cell = _nearest(features, self._centres)
        distance = np.empty(len(features))
        for c in np.unique(cell):
            here = cell == c
            distance[here] = squared_distances(features[here], self._train[self._cell_of_train == c]).min(1)
        return _Near(cell, np.sqrt(distance))


def _each_group(count: int, groups: int) -> list[ndarray]:
    group = grouped(count, groups)
    return [group == g for g in range(group.max() + 1)]


def _c_t(samples: _Near, held_out: _Near) -> float:
    shares, scores = [], []
    for c in np.unique(held_out.cell):
        ours, theirs = samples.distance[samples.cell == c], held_out.distance[held_out.cell == c]
        if len(ours) and len(ours) >= LEAST_SHARE * len(samples.cell):
            shares.append(len(theirs))
            scores.append(rank_z(ours, theirs))
    return float(np.average(scores, weights=shares)) if scores else 0.0


def rank_z(one: Float[ndarray, " item"], other: Float[ndarray, " other"]) -> float:
    """Mann and Whitney's U, the pairs in which ``one`` is larger, less its mean over its standard deviation, ties counted half."""
    n, m = len(one), len(other)
    ranked = np.sort(other)
    u = (np.searchsorted(ranked, one, "left") + np.searchsorted(ranked, one, "right")).sum() / 2
    return float((u - n * m / 2) / np.sqrt(n * m * (n + m + 1) / 12))


def k_means(rows: Float[ndarray, "item dim"], k: int) -> Float[ndarray, "centre dim"]:
    """Lloyd's centres from the same start every time: the row nearest to the mean, then always the one farthest from all before.

    No centre is left without a row: one that loses them all is dropped.
    """
    chosen = [int(squared_distances(rows, rows.mean(0, keepdims=True)).argmin())]
    while len(chosen) < min(k, len(rows)):
        chosen.append(int(squared_distances(rows, rows[chosen]).min(1).argmax()))
    centres = rows[chosen]
    for _ in range(_ROUNDS):
        cell = _nearest(rows, centres)
        moved = np.stack([rows[cell == c].mean(0) for c in np.unique(cell)])
        if moved.shape == centres.shape and np.allclose(moved, centres, rtol=0, atol=1e-12):
            break
        centres = moved
    # Rows may change cells with the last move; a centre has to have one.
    return centres[np.unique(_nearest(rows, centres))]


def _nearest(rows: ndarray, centres: ndarray) -> Int[ndarray, " item"]:
    return squared_distances(rows, centres).argmin(1)
