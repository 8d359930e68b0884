"""A run's predictions on a bank that all its like share, to be compared with those of its twin."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from tauscope.experiments.image_files import write_npz
from tauscope.experiments.image_set import OfImages
from tauscope.training.seeding import stream

POINTS = 256
_EVERY_RUN = 0  # Instead of the run's seed: twins, whatever their seeds, are asked at the same points.


class ImagePredictions(OfImages):
    """Answers at the first held-out images, each noised once at the index of the comparison.

    Images and noise are the same in every run on the same held-out images, and so are the points in pixels: each run is given
    them in its own units, which are centred on its own training images. What is kept of an answer is what a Gaussian of the
    held-out images' scale does not explain, eps_hat - sqrt(1 - alpha_bar) x_t / (alpha_bar s^2 + 1 - alpha_bar): that part is
    alike in any two networks, whatever they were trained on, and would hide where they part.
    """

    def write(self, network: nn.Module, path: Path) -> bool:
        """Write the answers of a network; ``False``, and nothing, if they are not finite numbers."""
        found = self.answers(network)
        if not np.isfinite(found).all():
            return False
        write_npz(path, predictions=found)
        return True

    @torch.no_grad()
    def answers(self, network: nn.Module) -> Float[np.ndarray, "point channel height width"]:
        """What the network has learnt to answer beyond a Gaussian, at every point of the bank."""
        x_t, explained = self._bank
        t = torch.full((len(x_t),), self.spec.comparison_index, device=x_t.device)
        answers: Tensor = network(x_t, t) - explained
        return answers.cpu().numpy()

    @cached_property
    def _bank(self) -> tuple[Tensor, Tensor]:
        """The points in the run's own units, and the answer of the Gaussian there."""
        held_out = 2 * self.images.held_out - 1
        mean, index = float(held_out.double().mean()), self.spec.comparison_index
        x_0 = held_out[:POINTS] - mean
        eps = torch.randn(x_0.shape, generator=stream(_EVERY_RUN, "predictions", index))  # On the CPU: the same on every device.
        t = torch.full((len(x_0),), index, device=x_0.device)
        x_t, alpha_bar = self.diffusion.noised(x_0, t, eps.to(x_0.device)), float(self.diffusion.alpha_bar[index])
        variance = alpha_bar * float(held_out.double().var()) + 1 - alpha_bar
        return x_t + alpha_bar**0.5 * (mean - self.images.mean), (1 - alpha_bar) ** 0.5 / variance * x_t
