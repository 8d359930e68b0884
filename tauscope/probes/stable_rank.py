"""The stable rank of weights: how many directions a matrix really uses."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

DIRECT_ROWS = 512  # Up to here all eigenvalues are cheap.
_ITERATIONS, _TOLERANCE = 200, 1e-9


def stable_rank(matrix: Float[Tensor, "row column"]) -> float:
    """|W|_F^2 / |W|_2^2 (Rudelson and Vershynin 2007, doi:10.1145/1255443.1255449): from 1 for rank one to the number of rows.

    Up to 512 rows (or columns) the spectral norm is exact, in float64. Beyond, by power iteration from a fixed start until it
    moves by less than 1e-9 of itself: a lower bound of the norm, so that the rank is not underestimated.

    Raises:
        ValueError: if the matrix is zero or not finite.
    """
    rows = matrix.detach().double()
    rows = rows if rows.shape[0] <= rows.shape[1] else rows.T
    frobenius = float(rows.square().sum())
    if not 0 < frobenius < float("inf"):
        raise ValueError("a matrix that is zero or not finite has no stable rank; leave it out, and say so")
    gram = rows @ rows.T
    largest = float(torch.linalg.eigvalsh(gram)[-1]) if len(gram) <= DIRECT_ROWS else _largest(gram)
    return frobenius / largest


def _largest(gram: Tensor) -> float:
    generator = torch.Generator().manual_seed(0)
    vector = torch.randn(len(gram), generator=generator, dtype=torch.float64).to(gram.device)
    value = 0.0
    for _ in range(_ITERATIONS):
        vector = gram @ (vector / vector.norm())
        before, value = value, float(vector.norm())
        if value - before <= _TOLERANCE * value:
            break
    return value


def mean_stable_rank(network: nn.Module) -> tuple[float, int]:
    """The mean over all weight matrices and kernels (output channels by the rest) that are not zero, and how many they are.

    Raises:
        ValueError: if there is none, or one is not finite.
    """
    weights = [weight for weight in network.parameters() if weight.ndim >= 2 and bool(weight.any())]
    if not weights:
        raise ValueError("the network has no weight matrix that is not zero")
    return sum(stable_rank(weight.flatten(1)) for weight in weights) / len(weights), len(weights)
