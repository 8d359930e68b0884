"""What a network that minimized its training loss exactly would answer: the posterior mean over its training points.

A training set noised forward is a mixture of one Gaussian of variance 1 - alpha_bar for each point (arXiv:2505.17638); its
posterior mean, score and density need one pass over the set, in blocks, in float64.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

POINT_BLOCK = 512
SET_BLOCK = 8192


@dataclass(frozen=True)
class _Posterior:
    """Of points x_t: sqrt(alpha_bar) E[x_0 | x_t], and log sum_i exp(-|x_t - sqrt(alpha_bar) x_i|^2 / (2 (1 - alpha_bar)))."""

    centre: Float[Tensor, "point dim"]
    log_sum: Float[Tensor, " point"]


def empirical_score(x_t: Float[Tensor, "point ..."], data: Float[Tensor, "n_train ..."], *, alpha_bar: float) -> Float[Tensor, "point ..."]:
    """The score of the noised empirical distribution, in float64.

    s(x) = - (x - sqrt(alpha_bar) sum_i w_i x_i) / (1 - alpha_bar), w = softmax_i(-|x - sqrt(alpha_bar) x_i|^2 / (2 (1 - alpha_bar))).
    A network that minimizes the training loss exactly has it (arXiv:2505.17638).

    Args:
        x_t: points, images or vectors.
        data: the training set, in the same units.
        alpha_bar: below 1.
    """
    x = x_t.double().flatten(1)
    return ((_posterior(x, data, alpha_bar).centre - x) / (1 - alpha_bar)).view(x_t.shape)


def empirical_denoiser(
    x_t: Float[Tensor, "point ..."], data: Float[Tensor, "n_train ..."], *, alpha_bar: float
) -> Float[Tensor, "point ..."]:
    """E[x_0 | x_t] = sum_i w_i x_i with the weights of ``empirical_score``, in float64: a convex combination of training points."""
    return (_posterior(x_t.double().flatten(1), data, alpha_bar).centre / alpha_bar**0.5).view(x_t.shape)


def empirical_eps(x_t: Float[Tensor, "point ..."], data: Float[Tensor, "n_train ..."], *, alpha_bar: float) -> Float[Tensor, "point ..."]:
    """The noise that the exact minimizer of the training loss predicts, -sqrt(1 - alpha_bar) s(x_t), in float64."""
    return -((1 - alpha_bar) ** 0.5) * empirical_score(x_t, data, alpha_bar=alpha_bar)


def empirical_log_density(
    x_t: Float[Tensor, "point ..."], data: Float[Tensor, "n_train ..."], *, alpha_bar: float
) -> Float[Tensor, " point"]:
    """log p(x_t) of the noised empirical distribution, in nats and float64."""
    x = x_t.double().flatten(1)
    constant = math.log(len(data)) + x.shape[1] / 2 * math.log(2 * math.pi * (1 - alpha_bar))
    return _posterior(x, data, alpha_bar).log_sum - constant


def _posterior(x: Tensor, data: Tensor, alpha_bar: float) -> _Posterior:
    """Over the set block by block: the mean of each block weighs as much as the sum of its weights, by log-sum-exp."""
    if not 0 < alpha_bar < 1:
        raise ValueError(f"alpha_bar = {alpha_bar} adds no noise, or leaves nothing of x_0; give one between 0 and 1")
    found: _Posterior | None = None
    for block in data.split(SET_BLOCK):
        new = _over(x, alpha_bar**0.5 * block.double().flatten(1), 1 - alpha_bar)
        found = new if found is None else _joined(found, new)
    assert found is not None, "a training set has points"
    return found


def _over(x: Tensor, centres: Tensor, variance: float) -> _Posterior:
    means, sums, lengths = [], [], centres.square().sum(1)
    for points in x.split(POINT_BLOCK):
        squared = points.square().sum(1)[:, None] - 2 * points @ centres.T + lengths[None, :]
        exponent = -squared / (2 * variance)
        means.append(torch.softmax(exponent, dim=1) @ centres)
        sums.append(torch.logsumexp(exponent, dim=1))
    return _Posterior(torch.cat(means), torch.cat(sums))


def _joined(one: _Posterior, other: _Posterior) -> _Posterior:
    log_sum = torch.logaddexp(one.log_sum, other.log_sum)
    share = torch.exp(other.log_sum - log_sum)[:, None]
    return _Posterior(torch.lerp(one.centre, other.centre, share), log_sum)
