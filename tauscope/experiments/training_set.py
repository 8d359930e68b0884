"""The points that a denoiser learns from and is measured on."""

from typing import Protocol

from torch import Tensor


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
