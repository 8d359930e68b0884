"""A term of the training loss that holds back the high frequencies of what is learned of an image."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.samplers.low_pass import low_pass_gain
from tauscope.specs.interventions import FrequencyPenaltySpec

Images = Float[Tensor, "batch channel height width"]


class FrequencyPenalty:
    """weight x min(1, SNR) x |(1 - F) x0_hat|^2, a mean over pixels and images, F being the filter ``samplers.low_pass_gain``.

    The squared error of eps is SNR x that of x_0, SNR = alpha_bar / (1 - alpha_bar). Beside it, a term that grows with the SNR would
    rule the loss at little noise; so it is clipped, as the loss itself is by Hang et al. 2023 (arXiv:2303.09556, eq. 8, gamma = 1).

    Args:
        spec: the filter, and the weight.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: FrequencyPenaltySpec, diffusion: Diffusion) -> None:
        self._spec, self._diffusion = spec, diffusion

    def __call__(self, x_t: Images, t: Int[Tensor, " batch"], eps_hat: Images) -> Float[Tensor, ""]:
        """The term at noised images x_t with indices t, where the network predicts eps_hat."""
        alpha_bar, gain = self._diffusion.at(t, like=x_t), self._gain(x_t)
        x0_hat = (x_t - (1 - alpha_bar).sqrt() * eps_hat) / alpha_bar.sqrt()
        high = torch.fft.ifft2((1 - gain) * torch.fft.fft2(x0_hat)).real
        snr = alpha_bar / (1 - alpha_bar)
        return self._spec.weight * (snr.clamp(max=1) * high.square()).mean()

    def _gain(self, x_t: Images) -> Float[Tensor, "height width"]:
        gain = low_pass_gain((x_t.shape[-2], x_t.shape[-1]), cutoff=self._spec.cutoff, edge=self._spec.edge)
        return gain.to(x_t.device, x_t.dtype)
