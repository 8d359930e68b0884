"""A low-pass filter on the learned denoiser while samples are drawn."""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from tauscope.process import Diffusion

Images = Float[Tensor, "batch channel height width"]


def low_pass_gain(size: tuple[int, int], *, cutoff: float, edge: float) -> Float[Tensor, "height width"]:
    """The share of each Fourier coefficient that is kept: 1 up to cutoff - edge/2, 0 from cutoff + edge/2, a raised cosine between.

    Args:
        size: height and width in pixels.
        cutoff, edge: in cycles per image; at an edge of 0 the cut-off itself is kept.
    """
    height, width = size
    rows, columns = height * torch.fft.fftfreq(height, dtype=torch.float64), width * torch.fft.fftfreq(width, dtype=torch.float64)
    radius = torch.hypot(rows[:, None], columns[None, :])
    if edge == 0:
        return (radius <= cutoff * (1 + 1e-9)).double()
    return torch.cos(((radius - cutoff) / edge + 0.5).clamp(0, 1) * math.pi) / 2 + 0.5


def low_passed(
    eps_model: Callable[[Tensor, Tensor], Tensor], diffusion: Diffusion, *, cutoff: float, edge: float
) -> Callable[[Tensor, Tensor], Tensor]:
    """The predictor whose x0_hat is the filtered one of another: eps = (x_t - sqrt(alpha_bar) F x0_hat) / sqrt(1 - alpha_bar).

    The score is (sqrt(alpha_bar) x0_hat - x_t) / (1 - alpha_bar); its second part is the noise's own and has to stay at all frequencies,
    or the noise would. So the filter acts on all that was learned, about the mean brightness of the training images, 0 in model units.

    Args:
        eps_model: maps (x_t, t) to eps_hat.
        diffusion: the forward process.
        cutoff, edge: in cycles per image, see ``low_pass_gain``.
    """

    def filtered(x_t: Images, t: Tensor) -> Images:
        gain = low_pass_gain((x_t.shape[-2], x_t.shape[-1]), cutoff=cutoff, edge=edge).to(x_t.device, x_t.dtype)
        eps_hat = eps_model(x_t, t)
        alpha_bar = diffusion.alpha_bar[t].to(x_t.dtype).view(-1, 1, 1, 1)
        x0_hat = (x_t - (1 - alpha_bar).sqrt() * eps_hat) / alpha_bar.sqrt()
        lost = x0_hat - torch.fft.ifft2(gain * torch.fft.fft2(x0_hat)).real
        return eps_hat + (alpha_bar / (1 - alpha_bar)).sqrt() * lost

    return filtered
