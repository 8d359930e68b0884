"""A network that predicts the image or v answers, seen from outside, with the eps that follows."""

from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from tauscope.networks import Parameterized, Preconditioned
from tauscope.process import Diffusion
from tauscope.specs.process import CosineSpec, LinearSpec

T = torch.tensor([1, 300, 700, 990])


class Perfect(nn.Module):
    """Knows the answer."""

    def __init__(self) -> None:
        super().__init__()
        self.answer = torch.zeros(0)

    def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
        return self.answer


@pytest.mark.parametrize("target", ["x0", "v"])
@pytest.mark.parametrize("process", [LinearSpec(), CosineSpec()], ids=["linear", "cosine"])
def test_the_right_answer_gives_the_noise_that_was_added(target: Literal["x0", "v"], process: LinearSpec | CosineSpec) -> None:
    diffusion, inner = Diffusion.of(process), Perfect()
    network = Parameterized(inner, diffusion, target)
    generator = torch.Generator().manual_seed(1)
    x_0, eps = (torch.randn(4, 1, 2, 2, generator=generator) for _ in range(2))
    inner.answer = network.target(x_0, T, eps)
    x_t = diffusion.noised(x_0, T, eps)
    # At index 1 noise is a hundredth of x_t, and what float32 holds of it loses two digits.
    torch.testing.assert_close(network(x_t, T), eps, rtol=1e-3, atol=1e-3)


def test_v_is_what_a_preconditioned_network_learns_for_data_of_variance_one() -> None:
    diffusion, inner = Diffusion.of(LinearSpec()), nn.Conv2d(1, 1, 1)

    class Alone(nn.Module):
        def forward(self, x_t: Tensor, t: Tensor) -> Tensor:
            return inner(x_t)

    x_t = torch.randn(4, 1, 2, 2, generator=torch.Generator().manual_seed(1))
    ours, theirs = Parameterized(Alone(), diffusion, "v"), Preconditioned(Alone(), diffusion, 1.0)
    torch.testing.assert_close(ours(x_t, T), theirs(x_t, T))
