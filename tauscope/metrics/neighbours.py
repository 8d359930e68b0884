"""Nearest distinct training images: exact, at the cost of one matrix product."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

CANDIDATES = 8
QUERY_BLOCK = 1024
REFERENCE_BLOCK = 16_384
DIRECT_ELEMENTS = 2**24  # Elements of a block of direct differences: 128 MiB in float64.


@dataclass(frozen=True)
class Neighbours:
    """For each query the k nearest distinct references, nearest first.

    Attributes:
        index: into the references as given; of equal references the first.
        distance: Euclidean, float64, in the units of the images.
    """

    index: Int[Tensor, "query k"]
    distance: Float[Tensor, "query k"]


def nearest_distinct(queries: Float[Tensor, "query dim"], references: Float[Tensor, "reference dim"], *, k: int = 2) -> Neighbours:
    """The k nearest distinct references of each query, the same as float64 brute force would find.

    Squared distances by the expansion |x|^2 - 2 x.y + |y|^2 lose their digits exactly where samples are copies. So the
    expansion only proposes candidates; their distances are recomputed by direct difference in float64, and a query for
    which the expansion's error bound does not prove that no other reference is nearer is searched directly. Memory is
    bounded whatever the number of references.

    Raises:
        ValueError: if fewer than k distinct references are left, or a query is not finite.
    """
    if not bool(torch.isfinite(queries).all()):
        raise ValueError("a query holds a number that is not finite; drop it and say so before searching")
    first = _first_of_equals(references)
    if len(first) < k:
        raise ValueError(f"only {len(first)} distinct references for k = {k} neighbours; add training images")
    distinct = references[first]
    blocks = [_search_block(block, distinct, k) for block in queries.split(QUERY_BLOCK)]
    index = torch.cat([first[found.index] for found in blocks])
    return Neighbours(index, torch.cat([found.distance for found in blocks]))


def _first_of_equals(references: Tensor) -> Tensor:
    """Index of the first of each group of equal rows, increasing."""
    _, group = torch.unique(references, dim=0, return_inverse=True)
    n_groups = int(group.max()) + 1
    first = torch.full((n_groups,), len(references), device=references.device)
    first = first.scatter_reduce(0, group, torch.arange(len(references), device=references.device), "amin")
    return first.sort().values


def _search_block(queries: Tensor, references: Tensor, k: int) -> Neighbours:
    candidates, floor = _candidates(queries, references, min(CANDIDATES, len(references)))
    distance = _direct(queries, references, candidates)
    distance, order = distance.sort(dim=1, stable=True)
    index = candidates.gather(1, order)[:, :k]
    distance = distance[:, :k]
    doubtful = (distance[:, -1] ** 2 >= floor).nonzero()[:, 0]
    for row in doubtful.tolist():
        index[row], distance[row] = _brute_force(queries[row], references, k)
    return Neighbours(index, distance)


def _candidates(queries: Tensor, references: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Nearest by the expansion, in order of index, and a proven lower bound of every other reference's squared distance."""
    centre = references.mean(0)  # Small norms keep the expansion's rounding error small.
    x = queries - centre
    x_norm = x.square().sum(1)
    best = torch.full((len(x), 0), torch.inf, device=x.device, dtype=x.dtype)
    index = torch.zeros((len(x), 0), dtype=torch.long, device=x.device)
    largest = x_norm.new_zeros(())
    for start in range(0, len(references), REFERENCE_BLOCK):
        y = references[start : start + REFERENCE_BLOCK] - centre
        y_norm = y.square().sum(1)
        largest = torch.maximum(largest, y_norm.max())
        squared = torch.addmm(y_norm[None, :], x, y.T, alpha=-2).add_(x_norm[:, None])
        near = squared.topk(min(count, len(y)), largest=False)
        best, index = torch.cat([best, near.values], 1), torch.cat([index, near.indices + start], 1)
        best, keep = best.topk(min(count, best.shape[1]), largest=False)
        index = index.gather(1, keep)
    # Rounding of a dot product of d terms is at most d eps |x||y|; the norms are of the same kind.
    rounding = (x.shape[1] + 8) * torch.finfo(x.dtype).eps * 2 * (x_norm + largest)
    floor = torch.full_like(x_norm, torch.inf) if len(references) <= count else best.max(1).values - rounding
    return index.sort(1).values, floor.double()


def _direct(queries: Tensor, references: Tensor, candidates: Tensor) -> Tensor:
    rows = max(1, DIRECT_ELEMENTS // (candidates.shape[1] * queries.shape[1]))
    return torch.cat(
        [
            (block.double()[:, None, :] - references[chosen].double()).square().sum(2).sqrt()
            for block, chosen in zip(queries.split(rows), candidates.split(rows), strict=True)
        ]
    )


def _brute_force(query: Tensor, references: Tensor, k: int) -> tuple[Tensor, Tensor]:
    rows = max(1, DIRECT_ELEMENTS // len(query))
    distance = torch.cat([(block.double() - query.double()).square().sum(1).sqrt() for block in references.split(rows)])
    ordered, index = distance.sort(stable=True)
    return index[:k], ordered[:k]
