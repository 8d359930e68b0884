"""What this machine offers to train on, found out without loading PyTorch."""

import os
import re
from pathlib import Path


def gpu_ids() -> tuple[str, ...]:
    """The NVIDIA devices this process may use, as ``CUDA_VISIBLE_DEVICES`` names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return tuple(name.strip() for name in visible.split(",") if name.strip() not in {"", "-1"})
    numbers = (re.fullmatch(r"nvidia(\d+)", path.name) for path in Path("/dev").glob("nvidia*"))
    return tuple(sorted((match.group(1) for match in numbers if match), key=int))


def default_slots() -> int:
    """One slot a GPU, or one a CPU core: children of one thread each train faster together than one child with all."""
    return len(gpu_ids()) or _cores()


def slot_environment(index: int) -> dict[str, str]:
    """Show a slot's child only the GPU that is its own."""
    gpus = gpu_ids()
    return {"CUDA_VISIBLE_DEVICES": gpus[index % len(gpus)]} if gpus else {}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
