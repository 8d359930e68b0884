"""Dynamic time warping within a band (Sakoe and Chiba 1978), and a lower bound of it (Keogh and Ratanamahatana 2005)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

_PAIRS = 8192  # At a time: their costs within a band stay in the cache of a core.
_BOUND_ELEMENTS = 2**22


def banded_dtw(x: Float[Tensor, "pair channel time"], y: Float[Tensor, "pair channel time"], *, radius: int) -> Float[Tensor, " pair"]:
    """The distance of each pair under the best common warping of all channels, float64.

    The root of the least sum of squared differences along a path from both beginnings to both ends that advances by a step in x,
    in y or in both, and never departs by more than ``radius`` steps from the diagonal. At radius 0 it is Euclidean, and it never
    grows with the radius.

    Raises:
        ValueError: if the radius is below 0.
    """
    if radius < 0:
        raise ValueError(f"radius = {radius} leaves no path; give 0 or more")
    radius = min(radius, x.shape[2] - 1)
    blocks = zip(x.double().split(_PAIRS), y.double().split(_PAIRS), strict=True)
    return torch.cat([_banded(*block, radius) for block in blocks]).sqrt() if len(x) else x.new_zeros(0, dtype=torch.float64)


def _banded(x: Tensor, y: Tensor, radius: int) -> Float[Tensor, " pair"]:
    """Row by row of x: the best sum that ends at step i of x and step i + offset of y."""
    pairs, length = len(x), x.shape[2]
    cost = x.new_full((length, 2 * radius + 1, pairs), torch.inf)
    for offset in range(-radius, radius + 1):
        first, last = max(0, -offset), length - max(0, offset)
        difference = x[:, :, first:last] - y[:, :, first + offset : last + offset]
        cost[first:last, radius + offset] = difference.square().sum(1).T
    # One more column that no path reaches, for the step above the band.
    best = x.new_full((2 * radius + 2, pairs), torch.inf)
    best[radius] = 0
    for i in range(length):
        reached = torch.minimum(best[:-1], best[1:]) if i else best[:-1].clone()
        for k in range(2 * radius + 1):
            if k:
                torch.minimum(reached[k], reached[k - 1], out=reached[k])
            reached[k] += cost[i, k]
        best[:-1] = reached
    return best[radius]


def lower_bound(
    queries: Float[Tensor, "query channel time"], references: Float[Tensor, "reference channel time"], *, radius: int
) -> Float[Tensor, "query reference"]:
    """LB_Keogh of every pair: how far the query leaves what the reference reaches within ``radius`` steps; float64.

    Never above `banded_dtw`, for every step of the query is matched with a step of the reference in that reach.
    """
    upper, lower = _envelope(references.double(), radius)
    x = queries.double()
    size = max(1, _BOUND_ELEMENTS // references.numel())
    excess = ((x_[:, None] - upper).clamp(min=0) + (lower - x_[:, None]).clamp(min=0) for x_ in x.split(size))
    return torch.cat([part.square().sum((2, 3)) for part in excess]).sqrt()


def _envelope(x: Tensor, radius: int) -> tuple[Tensor, Tensor]:
    width = 2 * radius + 1
    padded = F.pad(x, (radius, radius), value=-torch.inf), F.pad(-x, (radius, radius), value=-torch.inf)
    upper, negative = (F.max_pool1d(side, width, stride=1) for side in padded)
    return upper, -negative


def fill_dtw(
    distance: Float[Tensor, "query reference"],
    wanted: Bool[Tensor, "query reference"],
    queries: Float[Tensor, "query channel time"],
    references: Float[Tensor, "reference channel time"],
    *,
    radius: int,
) -> None:
    """Compute the wanted entries of a table of distances in place."""
    query, reference = wanted.nonzero(as_tuple=True)
    for q, r in zip(query.split(_PAIRS), reference.split(_PAIRS), strict=True):
        distance[q, r] = banded_dtw(queries[q], references[r], radius=radius)
