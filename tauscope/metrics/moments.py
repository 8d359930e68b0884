"""Mean and covariance of features as float64 sums, so that rows can come in blocks and be taken out again."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

BLOCK = 1024


@dataclass(frozen=True)
class Moments:
    """Sums over rows, of the rows less a fixed shift near their mean, so that no digits are lost in the difference.

    Attributes:
        count: how many rows.
        total: their sum.
        products: the sum of their outer products.
    """

    count: int
    total: Float[ndarray, " dim"]
    products: Float[ndarray, "dim dim"]

    @classmethod
    def of(cls, rows: Float[ndarray, "item dim"]) -> "Moments":
        """The sums of all rows; of float32 rows no more than a block is ever held in float64."""
        dim = rows.shape[1]
        total, products = np.zeros(dim), np.zeros((dim, dim))
        for start in range(0, len(rows), BLOCK):
            block = rows[start : start + BLOCK].astype(np.float64)
            total += block.sum(0)
            products += block.T @ block
        return cls(len(rows), total, products)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.count + other.count, self.total + other.total, self.products + other.products)

    def __sub__(self, other: "Moments") -> "Moments":
        return Moments(self.count - other.count, self.total - other.total, self.products - other.products)

    @property
    def mean(self) -> Float[ndarray, " dim"]:
        return self.total / self.count

    @property
    def covariance(self) -> Float[ndarray, "dim dim"]:
        """Unbiased, divided by count - 1."""
        return (self.products - np.outer(self.total, self.mean)) / (self.count - 1)
