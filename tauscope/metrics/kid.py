"""The kernel distance of Binkowski et al. 2018 (arXiv:1801.01401): KID on Inception's features, a polynomial-kernel MMD on any other."""

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.mmd import mmd_interval

GROUPS = 32


def kernel_distance(
    features: Float[ndarray, "item dim"], reference: Float[ndarray, "other dim"], *, groups: int = GROUPS
) -> tuple[float, float, float]:
    """The unbiased squared MMD with kernel (x.y / dim + 1)^3 and its 95 % interval, see ``mmd_interval``; (value, low, high).

    Raises:
        ValueError: if either has fewer than four rows.
    """
    x, y = np.asarray(features, np.float64), np.asarray(reference, np.float64)
    if min(len(x), len(y)) < 4:
        raise ValueError(f"{len(x)} and {len(y)} rows are too few for the kernel distance; give at least four of each")
    own, other, cross = _kernel(x, x), _kernel(y, y), _kernel(x, y)
    np.fill_diagonal(own, 0)
    np.fill_diagonal(other, 0)
    return mmd_interval(own, other, cross, groups=groups)


def _kernel(x: ndarray, y: ndarray) -> ndarray:
    product = x @ y.T
    product /= x.shape[1]
    product += 1
    return product**3
