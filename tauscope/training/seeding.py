"""Randomness by address: every draw comes from a generator seeded by (seed, stream, step), never by history.

So a resumed run draws what an uninterrupted one would have drawn, with no generator state to save, and two purposes never
share a stream.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import torch


def derive_seed(seed: int, *address: str | int) -> int:
    """A 63-bit seed for a stream, e.g. ``derive_seed(spec.seed, "batch", step)``."""
    text = "/".join(str(part) for part in (seed, *address))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def stream(seed: int, *address: str | int, device: torch.device | None = None) -> torch.Generator:
    """A fresh generator for a stream."""
    generator = torch.Generator(device or torch.device("cpu"))
    generator.manual_seed(derive_seed(seed, *address))
    return generator


@contextmanager
def seeded_initialization(seed: int) -> Iterator[None]:
    """PyTorch's layers initialise from the global generator; lend them a seeded one and give the old one back."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive_seed(seed, "weights"))
        yield
