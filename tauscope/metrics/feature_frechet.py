"""The Frechet distance on the features of a network, where there are many: thousands of them cost seconds, not minutes.

|m - m'|^2 + Tr C + Tr C' - 2 Tr (C'^1/2 C C'^1/2)^1/2 (Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500). With at least as
many samples n as features d the last trace is that of the square roots of the eigenvalues of R C R^T, where R^T R = C': a triangular R
is found once a reference, and is half the work of a symmetric root. With fewer, it is the nuclear norm of the product of both centred
sets: the square roots of the eigenvalues of the n x n matrix X C' X^T / (n - 1), whatever d is; and leaving samples out only leaves out
rows and columns.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from tauscope.metrics.intervals import grouped, jackknife_half_width
from tauscope.metrics.moments import Moments

Estimate = tuple[float, float | None, float | None]

GROUPS = 32
SIZES, SIZE_GROUPS = 10, 10
_ORDER_SEED = 0


@dataclass(frozen=True)
class FeatureReference:
    """A reference set: its moments, and what is derived from them once.

    Attributes:
        shift: what every feature is less before sums are taken, the reference's own mean.
        covariance: of the reference.
    """

    shift: Float[ndarray, " dim"]
    covariance: Float[ndarray, "dim dim"]
    count: int

    @classmethod
    def of(cls, features: Float[ndarray, "item dim"]) -> "FeatureReference":
        """Fit the reference."""
        shift = features.mean(0, dtype=np.float64)
        moments = Moments.of(features - shift)
        return cls(shift, moments.covariance, len(features))

    @cached_property
    def root(self) -> Float[ndarray, "dim dim"]:
        """The upper triangular R with R^T R = covariance, which may be singular."""
        values, vectors = np.linalg.eigh(self.covariance)
        return np.asarray(np.linalg.qr(np.sqrt(np.clip(values, 0, None))[:, None] * vectors.T, mode="r"))

    @cached_property
    def trace(self) -> float:
        return float(np.trace(self.covariance))

    def distance(self, features: Float[ndarray, "item dim"]) -> float:
        """The distance of features to the reference; biased upward by about 1/count of either."""
        return self._sample(features).distance()

    def distance_interval(self, features: Float[ndarray, "item dim"], *, groups: int = GROUPS) -> tuple[float, float, float]:
        """The distance with its 95 % delete-a-group jackknife interval over the given features; (value, low, high)."""
        sample = self._sample(features)
        value, half = sample.distance(), jackknife_half_width(np.array(list(sample.left_out(groups))))
        return value, max(value - half, 0.0), value + half

    def at_infinity(self, features: Float[ndarray, "item dim"], *, sizes: int = SIZES, groups: int = SIZE_GROUPS) -> Estimate:
        """The distance extrapolated to infinitely many samples, linear in 1/N (Chong and Forsyth 2020, arXiv:1911.07023).

        Fitted to the distances of the first N of the features, in one fixed random order, at ``sizes`` N from half of them to all. The
        bias that the reference's own count leaves is not removed. Interval: a delete-a-group jackknife of the whole fit; it may
        reach below 0.
        """
        order = np.random.default_rng(_ORDER_SEED).permutation(len(features))
        shuffled = features[order]
        sample, group = self._sample(shuffled), grouped(len(features), groups)
        value, kept = _intercept(sample, sizes), [np.flatnonzero(group != g) for g in range(group.max() + 1)]
        half = jackknife_half_width(np.array([_intercept(sample.taking(index), sizes) for index in kept]))
        return value, value - half, value + half

    def distance_of(self, moments: Moments) -> float:
        """The distance of features of which only the moments are left, each less ``shift``."""
        covariance = moments.covariance
        inner, _ = scipy.linalg.lapack.dsygst(covariance, self.root, itype=2)  # R C R^T; its upper triangle alone is written.
        return _frechet(moments.mean, float(np.trace(covariance)), _trace_of_root(inner), self)

    def _sample(self, features: ndarray) -> "_ByMoments | _ByGram":
        shifted = features.astype(np.float64) - self.shift
        return _ByGram.of(self, shifted) if len(features) < len(self.shift) else _ByMoments(self, shifted)


def distance_to_sets(references: tuple[FeatureReference, ...], features: Float[ndarray, "item dim"]) -> tuple[float, float, float]:
    """The mean of the distances to several reference sets, and 2 standard deviations over them to each side; (value, low, high).

    The spread over reference sets, as arXiv:2505.17638 draws it. It holds nothing of what other samples would change.

    Raises:
        ValueError: if there are fewer than two sets.
    """
    if len(references) < 2:
        raise ValueError("a spread over reference sets needs two of them; take the jackknife interval of one")
    distances = np.array([reference.distance(features) for reference in references])
    value, half = float(distances.mean()), 2 * float(distances.std(ddof=1))
    return value, max(value - half, 0.0), value + half


def _intercept(sample: "_ByMoments | _ByGram", sizes: int) -> float:
    counts = np.unique(np.linspace(max(sample.count // 2, 2), sample.count, sizes).astype(int))
    return float(np.polyfit(1 / counts, list(sample.first(counts)), 1)[1])


def _frechet(mean: ndarray, trace: float, overlap: float, reference: FeatureReference) -> float:
    return max(float(mean @ mean + trace + reference.trace - 2 * overlap), 0.0)


def _trace_of_root(matrix: ndarray) -> float:
    """The trace of the square root of a symmetric matrix, of which the upper triangle is read."""
    # PyTorch's LAPACK finds 2,048 eigenvalues in half the time of NumPy's.
    values = torch.linalg.eigvalsh(torch.from_numpy(matrix), UPLO="U")
    return float(values.clamp(min=0).sqrt().sum())


@dataclass(frozen=True)
class _ByMoments:
    """At least as many samples as features."""

    reference: FeatureReference
    rows: Float[ndarray, "item dim"]

    @property
    def count(self) -> int:
        return len(self.rows)

    def distance(self) -> float:
        return self.reference.distance_of(Moments.of(self.rows))

    def left_out(self, groups: int) -> Iterator[float]:
        whole, group = Moments.of(self.rows), grouped(self.count, groups)
        for g in range(group.max() + 1):
            yield self.reference.distance_of(whole - Moments.of(self.rows[group == g]))

    def first(self, counts: Int[ndarray, " size"]) -> Iterator[float]:
        parts = np.split(self.rows, counts[:-1])
        moments = Moments.of(parts[0])
        yield self.reference.distance_of(moments)
        for part in parts[1:]:
            moments = moments + Moments.of(part)
            yield self.reference.distance_of(moments)

    def taking(self, index: Int[ndarray, " kept"]) -> "_ByMoments":
        return _ByMoments(self.reference, self.rows[index])


@dataclass(frozen=True)
class _ByGram:
    """Fewer samples than features: rows, their products through the reference's covariance, and their squared norms."""

    reference: FeatureReference
    rows: Float[ndarray, "item dim"]
    gram: Float[ndarray, "item item"]

    @classmethod
    def of(cls, reference: FeatureReference, rows: ndarray) -> "_ByGram":
        return cls(reference, rows, rows @ reference.covariance @ rows.T)

    @property
    def count(self) -> int:
        return len(self.rows)

    def distance(self) -> float:
        n = self.count
        mean = self.rows.mean(0)
        trace = float(((self.rows**2).sum() - n * mean @ mean) / (n - 1))
        across = self.gram.mean(0)
        centred = (self.gram - across - across[:, None] + across.mean()) / (n - 1)
        return _frechet(mean, trace, _trace_of_root(centred), self.reference)

    def left_out(self, groups: int) -> Iterator[float]:
        group = grouped(self.count, groups)
        for g in range(group.max() + 1):
            yield self.taking(np.flatnonzero(group != g)).distance()

    def first(self, counts: Int[ndarray, " size"]) -> Iterator[float]:
        for count in counts:
            yield self.taking(np.arange(count)).distance()

    def taking(self, index: Int[ndarray, " kept"]) -> "_ByGram":
        return _ByGram(self.reference, self.rows[index], self.gram[np.ix_(index, index)])
