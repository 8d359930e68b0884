"""The images of a run in model units."""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec


@dataclass(frozen=True)
class ImageSet:
    """Training and held-out images in [0, 1] and the scale that turns them into model units.

    x = 2 pixel - 1 - mean, with one scalar mean, that of the training images. Labels are there where the network is told them.
    """

    train: Float[Tensor, "n_train channel height width"]
    held_out: Float[Tensor, "n_held_out channel height width"]
    train_labels: Int[Tensor, " n_train"] | None = None
    held_out_labels: Int[Tensor, " n_held_out"] | None = None

    @property
    def mean(self) -> float:
        return float((2 * self.train - 1).double().mean())

    @property
    def labels(self) -> int:
        """How many labels there are, counted from 0; none where the network is told none."""
        known = [int(part.max()) + 1 for part in (self.train_labels, self.held_out_labels) if part is not None]
        return max(known, default=0)

    def to_model(self, pixels: Tensor) -> Tensor:
        return 2 * pixels - 1 - self.mean

    def to_pixels(self, x: Tensor) -> Tensor:
        """Back to [0, 1], clipped; what leaves the model's range was never an image."""
        return ((x + self.mean + 1) / 2).clamp(0, 1)


class OfImages:
    """What is measured of a run's images, the base of all that asks one question of them.

    Args:
        spec: the run.
        images: its images, on the device.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: ImageDdpmSpec, images: ImageSet, diffusion: Diffusion) -> None:
        self.spec = spec
        self.images = images
        self.diffusion = diffusion
