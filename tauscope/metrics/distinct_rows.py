"""Which rows of an array are repeats of others: found by a 64-bit hash, and never taken for repeats without a look."""

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

_SEED = 20250517  # Any fixed number: what is found does not depend on it.
_BLOCK_ELEMENTS = 2**20


def first_of_equals(rows: Float[Tensor, "row dim"] | UInt8[Tensor, "row dim"]) -> Int[Tensor, " distinct"]:
    """Index of the first of each group of equal rows, increasing; 0 and -0 are equal."""
    hashes = torch.empty(len(rows), dtype=torch.long, device=rows.device)
    size = max(1, _BLOCK_ELEMENTS // rows.shape[1])
    for start in range(0, len(rows), size):
        hashes[start : start + size] = _hashes(rows[start : start + size])
    left = torch.arange(len(rows), device=rows.device)
    firsts = []
    while len(left):
        _, group = torch.unique(hashes[left], return_inverse=True)
        first = torch.full((int(group.max()) + 1,), len(rows), device=left.device).scatter_reduce(0, group, left, "amin")
        firsts.append(first)
        others = first[group] != left
        # Unequal rows of one hash have their turn again without the first of them.
        left, group = left[others], group[others]
        left = left[~_equal(rows, left, first[group])]
    return torch.cat(firsts).sort().values


def _hashes(rows: Tensor) -> Tensor:
    words = (rows if rows.dtype == torch.uint8 else (rows + 0.0).contiguous().view(torch.int32)).long()
    weights = torch.randint(-(2**63), 2**63 - 1, (words.shape[1],), generator=torch.Generator().manual_seed(_SEED))
    return (words * weights.to(words.device)).sum(1)  # Modulo 2^64.


def _equal(rows: Tensor, one: Tensor, other: Tensor) -> Tensor:
    size = max(1, _BLOCK_ELEMENTS // rows.shape[1])
    pairs = zip(one.split(size), other.split(size), strict=True)
    return torch.cat([one.new_zeros(0, dtype=torch.bool), *((rows[a] == rows[b]).all(1) for a, b in pairs)])
