"""The three-sample test for data-copying, C_T (Meehan, Chaudhuri and Dasgupta 2020, arXiv:2004.05675)."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.metrics.distances import squared_distances
from tauscope.metrics.intervals import auc_interval

LEAST_SHARE = 0.01  # Of the samples, for a cell to count.
HELD_OUT_A_CELL = 100
MOST_CELLS = 10
_ROUNDS = 50


@dataclass(frozen=True)
class _Near:
    """Rows of one set: the cell each lies in, and its distance to the nearest training image there."""

    cell: Int[ndarray, " item"]
    distance: Float[ndarray, " item"]

    def within(self, cell: int) -> Float[ndarray, " inside"]:
        return self.distance[self.cell == cell]


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

    def statistic(self, features: Float[ndarray, "item dim"]) -> tuple[float, float, float]:
        """C_T of samples with its 95 % interval; (value, low, high). Far below 0 they copy, about 0 they are as far as held-out images.

        The mean over cells, by their share of held-out images, of the Mann-Whitney z of nearest training distances, samples against
        held-out; of cells with at least 1 % of the samples. The interval joins those of the cells (Zou and Donner 2008,
        doi:10.1002/sim.3095), each from the score interval of its AUC, which has a width also where all samples are copies.

        Raises:
            ValueError: if no cell with held-out images has enough samples.
        """
        near = self._near(features)
        cells = [c for c in np.unique(self._held_out.cell).tolist() if (near.cell == c).sum() >= max(1, LEAST_SHARE * len(near.cell))]
        if not cells:
            raise ValueError("no cell holds both held-out images and 1 % of the samples; they have nothing in common")
        scores = np.array([rank_z(near.within(c), self._held_out.within(c)) for c in cells])
        shares = np.array([len(self._held_out.within(c)) for c in cells], dtype=float)
        shares /= shares.sum()
        value, low, high = scores.T
        mean, below, above = float(shares @ value), np.linalg.norm(shares * (value - low)), np.linalg.norm(shares * (high - value))
        return mean, mean - float(below), mean + float(above)

    def _near(self, features: ndarray) -> _Near:
        cell = _nearest(features, self._centres)
        distance = np.empty(len(features))
        for c in np.unique(cell):
            here = cell == c
            distance[here] = squared_distances(features[here], self._train[self._cell_of_train == c]).min(1)
        return _Near(cell, np.sqrt(distance))


def rank_z(one: Float[ndarray, " item"], other: Float[ndarray, " other"]) -> tuple[float, float, float]:
    """Mann and Whitney's U, the pairs in which ``one`` is larger, less its mean over its standard deviation, ties counted half.

    Returns:
        The z with the 95 % score interval of the share of such pairs, in the same units; (value, low, high).
    """
    n, m = len(one), len(other)
    ranked = np.sort(other)
    larger = (np.searchsorted(ranked, one, "left") + np.searchsorted(ranked, one, "right")).sum() / (2 * n * m)
    deviation = np.sqrt((n + m + 1) / (12 * n * m))
    value, low, high = ((share - 0.5) / deviation for share in (larger, *auc_interval(float(larger), n, m)))
    return float(value), float(low), float(high)


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
