"""The gradient of a batch summed over several processes, each of which computes a slice of the same drawn batch."""

from collections.abc import Iterable
from datetime import timedelta

import torch
from torch import Tensor, distributed, nn
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # torch exports it without saying so
from torch.distributed.distributed_c10d import Store

from tauscope.training.team import Team

# How long a collective waits for a member that is alive: they all are in the same step, on the same machine.
PATIENCE = timedelta(minutes=10)


class Ranks(Team):
    """A member of a group of processes: rank r of k has images r B / k to (r + 1) B / k of a batch of B.

    Every member draws the whole batch, with all t and noise, from the same seeds, so that no image depends on how many they
    are. Sums in another order are all that differs from one process. Dropped units differ too: they are drawn for each slice.

    Args:
        rank: which member this is.
        size: how many there are.
    """

    def __init__(self, rank: int, size: int) -> None:
        self.rank = rank
        self.size = size

    def join(self, port: int, device: torch.device) -> None:
        """Meet the others at a port of this machine; returns when all are there."""
        store = TCPStore("127.0.0.1", port, self.size, is_master=False, timeout=PATIENCE)
        self._meet(store, device)

    def _meet(self, store: Store, device: torch.device) -> None:
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, store=store, rank=self.rank, world_size=self.size, timeout=PATIENCE)

    def share(self, batch: int) -> tuple[int, int]:
        return self.rank * batch // self.size, (self.rank + 1) * batch // self.size

    def add_up(self, parameters: Iterable[nn.Parameter], loss: Tensor) -> Tensor:
        gradients = [weight.grad for weight in parameters if weight.grad is not None]
        flat = torch.cat([*(gradient.flatten() for gradient in gradients), loss.view(1)])
        distributed.all_reduce(flat)
        *sums, total = flat.split([*(gradient.numel() for gradient in gradients), 1])
        for gradient, added in zip(gradients, sums, strict=True):
            gradient.copy_(added.view(gradient.shape))
        return total.view(())
