"""Classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor


def guided(
    network: Callable[..., Tensor], labels: Int[Tensor, " batch"], guidance: float
) -> Callable[[Tensor, Tensor], Float[Tensor, "batch ..."]]:
    """The predictor of a batch whose labels are given: eps = (1 + w) eps_hat(x, t, label) - w eps_hat(x, t, none), eq. 6.

    Args:
        network: maps (x, t, labels) to eps_hat; -1 is no label.
        labels: of the batch.
        guidance: w; at 0 the network is asked once, otherwise for both in one batch.
    """

    def eps_model(x_t: Tensor, t: Tensor) -> Tensor:
        if not guidance:
            return network(x_t, t, labels)
        both = network(torch.cat([x_t, x_t]), torch.cat([t, t]), torch.cat([labels, torch.full_like(labels, -1)]))
        with_label, without = both.chunk(2)
        return (1 + guidance) * with_label - guidance * without

    return eps_model
