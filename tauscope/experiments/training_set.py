"""The points that a denoiser learns from and is measured on."""

from typing import Protocol

from torch import Tensor

from tauscope.process import Diffusion
from tauscope.specs import DenoiserSpec


class TrainingSet(Protocol):
    """Training and held-out points on the device, in the units of the data, and what turns them into those of the model.

    The first axis counts points; labels are there where the network is told them.
    """

    @property
    def train(self) -> Tensor: ...

    @property
    def held_out(self) -> Tensor: ...

    @property
    def train_labels(self) -> Tensor | None: ...

    @property
    def held_out_labels(self) -> Tensor | None: ...

    def to_model(self, points: Tensor, /) -> Tensor:
        """In the units that the network sees."""
        ...


class OfPoints:
    """What is asked of the points of a run, whatever they are.

    Args:
        spec: the run.
        points: those that it learns, on the device.
        diffusion: the forward process, on the device.
    """

    def __init__(self, spec: DenoiserSpec, points: TrainingSet, diffusion: Diffusion) -> None:
        self.spec = spec
        self.points = points
        self.diffusion = diffusion
