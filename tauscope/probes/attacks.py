"""Membership attacks: a score for each image, the higher the more likely it was trained on. They only query eps_hat."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.samplers import EpsModel

BATCH = 512

Images = Float[Tensor, "image channel height width"]
Scores = Float[Tensor, " image"]


def loss_scores(eps_model: EpsModel, images: Images, eps: Images, diffusion: Diffusion, *, index: int) -> Scores:
    """- |eps_hat(x_t, t) - eps|^2 / pixels, x_t noised with the given eps (Matsumoto et al. 2023, arXiv:2302.03262, loss attack).

    One noise an image, held fixed along training, so that curves are smooth.

    Args:
        images: in model units.
        eps: standard normal, one per image.
        index: the 0-based diffusion index t.
    """

    def score(x_0: Tensor, noise: Tensor) -> Tensor:
        t = torch.full((len(x_0),), index, device=x_0.device)
        return -(eps_model(diffusion.noised(x_0, t, noise), t) - noise).double().square().flatten(1).mean(1)

    return _blockwise(score, images, eps)


def pia_scores(eps_model: EpsModel, images: Images, diffusion: Diffusion, *, index: int) -> Scores:
    """- |eps_0 - eps_hat(sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps_0, t)|_4 with eps_0 = eps_hat(x_0, 0).

    Proximal initialization attack, Kong et al. 2023, arXiv:2305.18355, with their l_4 norm and no randomness: the
    network's own answer at the clean image takes the place of the noise. Here "0" is the lowest trained index. They found
    t = 200 of 1000 best on CIFAR-10.

    Args:
        images: in model units.
        index: the 0-based diffusion index t.
    """

    def score(x_0: Tensor) -> Tensor:
        t = torch.full((len(x_0),), index, device=x_0.device)
        eps_0 = eps_model(x_0, torch.full_like(t, diffusion.first_trained_index))
        return -_norm_4(eps_0 - eps_model(diffusion.noised(x_0, t, eps_0), t))

    return _blockwise(score, images)


def sima_scores(eps_model: EpsModel, images: Images, *, index: int) -> Scores:
    """- |eps_hat(x_0, t)|_4 at the image itself, without noise (SimA, Rao et al. 2025, arXiv:2509.25003).

    The expected answer points from x towards a kernel-weighted mean of the training images near it, over about the noise's
    width; at a small index the only one near a member is itself, and the answer vanishes.

    Args:
        images: in model units.
        index: the 0-based diffusion index t.
    """

    def score(x_0: Tensor) -> Tensor:
        return -_norm_4(eps_model(x_0, torch.full((len(x_0),), index, device=x_0.device)))

    return _blockwise(score, images)


def _norm_4(x: Tensor) -> Tensor:
    return torch.linalg.vector_norm(x.double().flatten(1), ord=4, dim=1)


@torch.no_grad()
def _blockwise(score: Callable[..., Tensor], *images: Tensor) -> Tensor:
    return torch.cat([score(*block) for block in zip(*(part.split(BATCH) for part in images), strict=True)])
