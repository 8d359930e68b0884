"""Nearest distinct training images: exact, at the cost of one matrix product."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from tauscope.metrics.distinct_rows import first_of_equals

SPARE_CANDIDATES = 6  # Beyond k: where rounding cannot reach the last of them, all others are proven to be further.
QUERY_BLOCK = 1024
REFERENCE_BLOCK = 16_384
DIRECT_ELEMENTS = 2**17  # Elements of a block of direct differences: 1 MiB in float64, which a core's cache holds.
DOUBTFUL_PAIRS = 2**24  # Pairs of a doubtful query and a reference that are looked at together, at most.
_EPSILON = {"highest": 2.0**-23, "high": 2.0**-10, "medium": 2.0**-7}  # Of float32 products, as torch is told to make them.


@dataclass(frozen=True)
class Neighbours:
    """For each query the k nearest distinct references, nearest first.

    Attributes:
        index: into the references as given; of equal references the first.
        distance: Euclidean, float64, in the units of the images.
    """

    index: Int[Tensor, "query k"]
    distance: Float[Tensor, "query k"]


class References:
    """Rows made ready for many searches: which are repeats, their norms and their centre.

    Rows of uint8 are pixels where 255 means 1. They may be a memory map: blocks of them become floats, never all together.

    Args:
        rows: shape [reference, dim].

    Raises:
        ValueError: if a row is not finite.
    """

    def __init__(self, rows: Float[Tensor, "reference dim"] | UInt8[Tensor, "reference dim"]) -> None:
        self._rows = rows
        self._dtype = rows.dtype if rows.is_floating_point() else torch.float32
        size = max(1, 2**20 // rows.shape[1])
        total = torch.zeros(rows.shape[1], dtype=torch.float64, device=rows.device)
        for _, block in self._blocks(size):
            total += block.sum(0, dtype=torch.float64)
        self._centre = (total / len(rows)).to(self._dtype)  # Small norms keep the expansion's rounding error small.
        self._length = max(float(block.norm(dim=1).max()) for _, block in self._blocks(size))
        # Filled in place: small results kept between large blocks would leave the heap in pieces, eight times the images in size.
        squared = torch.empty(len(rows), dtype=self._dtype, device=rows.device)
        for start, block in self._blocks(size):
            squared[start : start + size] = (block - self._centre).double().square().sum(1)
        if not bool(torch.isfinite(squared).all()):
            raise ValueError("a reference holds a number that is not finite; drop it and say so before searching")
        self._largest = float(squared.max())
        first = first_of_equals(rows)
        self.n_distinct = len(first)
        # An infinite norm puts repeats behind everything, without a copy of the other rows.
        self._norms = torch.full_like(squared, torch.inf).index_copy(0, first, squared[first])

    def nearest(self, queries: Float[Tensor, "query dim"], *, k: int = 2) -> Neighbours:
        """The k nearest distinct references of each query, the same as float64 brute force would find.

        Squared distances by the expansion |x|^2 - 2 x.y + |y|^2 lose their digits exactly where samples are copies. So the
        expansion only proposes candidates, and their distances are recomputed by direct difference in float64. A reference
        is left out only if the expansion's error bound proves that k others are nearer. Memory is bounded whatever the number
        of references.

        Raises:
            ValueError: if fewer than k distinct references are left, or a query is not finite.
        """
        x = (queries - self._centre).to(self._dtype)
        length = x.norm(dim=1)
        if not bool(torch.isfinite(length).all()):
            raise ValueError("a query holds a number that is not finite; drop it and say so before searching")
        if self.n_distinct < k:
            raise ValueError(f"only {self.n_distinct} distinct references for k = {k} neighbours; add training images")
        x *= -2
        proposed, index = self._candidates(x, min(k + SPARE_CANDIDATES, self.n_distinct))
        # k references are truly within one rounding of the k-th proposed, and what is proposed two beyond it is truly further.
        bound = proposed.kthvalue(k, dim=1).values + 2 * self._rounding(length, x.shape[1])
        index, order = index.sort(1)  # Of equal distances the first reference comes first.
        within = proposed.gather(1, order) <= bound[:, None]
        distance = torch.full(index.shape, torch.inf, dtype=torch.float64, device=index.device)
        distance[within] = self._direct(queries, within.nonzero()[:, 0], index[within])
        distance, order = distance.sort(dim=1, stable=True)
        found = Neighbours(index.gather(1, order)[:, :k].contiguous(), distance[:, :k].contiguous())
        if index.shape[1] < self.n_distinct:
            self._settle(queries, x, bound, within.all(1).nonzero()[:, 0], found)
        return found

    def _candidates(self, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """The ``count`` smallest expansions of each query, and of which references."""
        best = torch.full((len(x), count), torch.inf, device=x.device, dtype=x.dtype)
        index = torch.zeros(best.shape, dtype=torch.long, device=x.device)
        for start, y in self._blocks(REFERENCE_BLOCK):
            for row in range(0, len(x), QUERY_BLOCK):
                part = slice(row, row + QUERY_BLOCK)
                near, place = _smallest(self._expansion(x[part], y, start), count)
                if start > 0 or near.shape[1] < count:
                    near, place = torch.cat([best[part], near], 1), torch.cat([index[part], place + start], 1)
                    near, keep = near.topk(count, largest=False, sorted=False)
                    place = place.gather(1, keep)
                best[part], index[part] = near, place
        return best, index

    def _settle(self, queries: Tensor, x: Tensor, bound: Tensor, doubtful: Tensor, found: Neighbours) -> None:
        """Compare doubtful queries with every reference that the bound leaves, and correct what was found."""
        for rows in doubtful.split(max(1, DOUBTFUL_PAIRS // len(self._rows))):
            parts = []
            for start, y in self._blocks(REFERENCE_BLOCK):
                query, place = (self._expansion(x[rows], y, start) <= bound[rows, None]).nonzero(as_tuple=True)
                parts.append((query, place + start))
            query, index = (torch.cat(part) for part in zip(*parts, strict=True))
            distance = self._direct(queries[rows], query, index)
            order = distance.argsort(stable=True)  # The references of a query stand in increasing order.
            order = order[query[order].argsort(stable=True)]
            begin = torch.searchsorted(query[order], torch.arange(len(rows), device=query.device))
            nearest = order[begin[:, None] + torch.arange(found.index.shape[1], device=query.device)]
            found.index[rows], found.distance[rows] = index[nearest], distance[nearest]

    def _expansion(self, x: Tensor, y: Tensor, start: int) -> Tensor:
        """|y - c|^2 + x.y, where x is -2 times a centred query: the squared distance but for a constant of each query."""
        return products(x, y).add_(self._norms[start : start + len(y)])

    def _rounding(self, length: Tensor, dim: int) -> Tensor:
        """A bound of the expansion's error: a dot product of d terms is wrong by d eps |x||y| / 2 at most, the rest by less."""
        single = length.dtype == torch.float32
        epsilon = _EPSILON[torch.get_float32_matmul_precision()] if single else torch.finfo(length.dtype).eps
        return epsilon * ((dim + 16) * length * self._length + 4 * self._largest)

    def _direct(self, queries: Tensor, query: Tensor, reference: Tensor) -> Tensor:
        """Distances of pairs by difference in float64."""
        squared = torch.empty(len(query), dtype=torch.float64, device=query.device)
        size = max(1, DIRECT_ELEMENTS // queries.shape[1])
        for x, y, out in zip(query.split(size), reference.split(size), squared.split(size), strict=True):
            difference = queries.index_select(0, x).double().sub_(self._values(self._rows.index_select(0, y)))
            torch.sum(difference.square_(), 1, out=out)
        return squared.sqrt_()

    def _blocks(self, size: int) -> Iterator[tuple[int, Tensor]]:
        return ((start, self._values(self._rows[start : start + size])) for start in range(0, len(self._rows), size))

    def _values(self, rows: Tensor) -> Tensor:
        return rows if rows.is_floating_point() else rows.to(self._dtype).div_(255)


def nearest_distinct(queries: Float[Tensor, "query dim"], references: Float[Tensor, "reference dim"], *, k: int = 2) -> Neighbours:
    """The k nearest distinct references of each query, of references that are searched once: see `References.nearest`.

    Raises:
        ValueError: if fewer than k distinct references are left, or a row is not finite.
    """
    return References(references).nearest(queries, k=k)


def products(x: Float[Tensor, "query dim"], y: Float[Tensor, "reference dim"]) -> Float[Tensor, "query reference"]:
    """x y', by oneDNN where PyTorch has it.

    PyTorch itself asks MKL, which leaves out the wide registers of processors that are not Intel's: half as fast there.
    """
    here = x.device.type == "cpu" and x.dtype == y.dtype == torch.float32 and len(x) > 0
    if here and torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise"):
        return torch.ops.mkldnn._linear_pointwise(x, y, None, "none", [], "")
    return torch.mm(x, y.T)


def _smallest(values: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The ``count`` smallest of each row and their columns; all of them where there are fewer.

    They lie in the ``count`` groups of smallest minimum, and minima cost one pass where a selection costs many. Both the minima and
    the members of these groups are again values of which the smallest are asked.
    """
    width = values.shape[1]
    count = min(count, width)
    size = isqrt(width // count)  # Of a group: the fewest values to select from, minima and members together.
    if size < 4:
        return values.topk(count, largest=False, sorted=False)
    n_groups = width // size
    minima = values[:, : n_groups * size].unflatten(1, (size, n_groups)).amin(1)
    groups = _smallest(minima, count)[1]
    members = (groups[:, None, :] + n_groups * torch.arange(size, device=values.device)[:, None]).flatten(1)
    rest = torch.arange(n_groups * size, width, device=values.device).expand(len(values), -1)
    columns = torch.cat([members, rest], 1)
    near, place = _smallest(values.gather(1, columns), count)
    return near, columns.gather(1, place)
