"""The gradient of a batch summed over several processes, each of which computes a slice of the same drawn batch."""

import os
import socket
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.distributed import FileStore  # type: ignore[attr-defined]  # torch exports it without saying so

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

    def meet(self, place: Path, device: torch.device) -> None:
        """Meet the others through a file that all can open; returns when all are there.

        They talk over the loopback interface: nothing listens where another machine could reach it.
        """
        loopback = next((name for _, name in socket.if_nameindex() if name.startswith("lo")), "lo")
        os.environ.setdefault("GLOO_SOCKET_IFNAME", loopback)
        backend = "nccl" if device.type == "cuda" else "gloo"
        store = FileStore(str(place), self.size)
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
