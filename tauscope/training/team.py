"""Who computes which part of a batch."""

from collections.abc import Iterable

from torch import Tensor, nn


class Team:
    """The processes that hold the same weights and share each batch: here one, which computes all of it."""

    def begin(self) -> None:
        """Another step begins; every member does it."""

    def share(self, batch: int) -> tuple[int, int]:
        """The first image of this member in a batch, and the first that is no longer its own."""
        return 0, batch

    def add_up(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        """Replace the gradients by their sum over all members, and return the sum of the losses."""
        return loss

    def close(self) -> None:
        """No step follows."""
