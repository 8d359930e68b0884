"""The stable rank of matrices whose singular values are known."""

import pytest
import torch
from torch import nn

from tauscope.probes import stable_rank as module
from tauscope.probes.stable_rank import mean_stable_rank, stable_rank


@pytest.mark.parametrize("transposed", [False, True])
def test_it_is_the_sum_of_squared_singular_values_over_the_largest(transposed: bool) -> None:
    matrix = torch.zeros(3, 5)
    matrix[range(3), range(3)] = torch.tensor([2.0, 1.0, 1.0])
    assert stable_rank(matrix.T if transposed else matrix) == pytest.approx(6 / 4)


def test_rank_one_gives_one_and_an_orthogonal_matrix_its_size() -> None:
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(7, 1, generator=generator), torch.randn(1, 9, generator=generator)
    assert stable_rank(left @ right) == pytest.approx(1, abs=1e-6)
    assert stable_rank(torch.linalg.qr(torch.randn(8, 8, generator=generator))[0]) == pytest.approx(8, abs=1e-5)


def test_power_iteration_agrees_with_all_singular_values(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = torch.randn(40, 90, generator=torch.Generator().manual_seed(1))
    exact = float(matrix.square().sum() / torch.linalg.svdvals(matrix)[0] ** 2)
    assert stable_rank(matrix) == pytest.approx(exact, rel=1e-5)
    monkeypatch.setattr(module, "DIRECT_ROWS", 1)
    # Random matrices have close leading values, where the iteration ends a little early; it errs to the larger rank.
    assert stable_rank(matrix) == pytest.approx(exact, rel=1e-3)
    assert stable_rank(matrix) >= exact * (1 - 1e-6)


def test_the_mean_is_over_matrices_and_kernels_but_neither_biases_nor_zeros() -> None:
    network = nn.Sequential(nn.Linear(4, 4), nn.Conv2d(2, 3, 2), nn.Linear(3, 3))
    with torch.no_grad():
        network[0].weight.copy_(torch.eye(4))
        network[1].weight.zero_()[0, 0, 0, 0] = 5.0
        network[2].weight.zero_()
    assert mean_stable_rank(network) == (pytest.approx(2.5), 2)


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_what_has_no_stable_rank_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="stable rank"):
        stable_rank(torch.full((2, 2), bad))
