"""The windows of a run on its device."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from tauscope.datasets.series import WindowSplit


@dataclass(frozen=True)
class WindowSet:
    """Training and held-out windows in standard units, which are those of the model, and where in the series each begins."""

    train: Float[Tensor, "n_train channel time"]
    held_out: Float[Tensor, "n_held_out channel time"]
    train_starts: Int[Tensor, " n_train"]
    held_out_starts: Int[Tensor, " n_held_out"]
    train_labels: None = None
    held_out_labels: None = None

    @classmethod
    def of(cls, split: WindowSplit, device: torch.device) -> "WindowSet":
        """The windows of a split."""

        def placed(part: ndarray) -> Tensor:
            return torch.from_numpy(part).to(device)

        train, held_out = split.train, split.held_out
        return cls(placed(train.values), placed(held_out.values), placed(train.starts), placed(held_out.starts))

    def to_model(self, windows: Tensor, /) -> Tensor:
        return windows
