"""What this machine offers to train on, found out without loading PyTorch."""

import os
import platform
import re
import sys
from collections.abc import Iterable
from importlib.metadata import version
from itertools import groupby
from pathlib import Path


def gpu_ids() -> tuple[str, ...]:
    """The NVIDIA devices this process may use, as ``CUDA_VISIBLE_DEVICES`` names them; none with a build of PyTorch for the CPU."""
    if version("torch").endswith("+cpu"):
        return ()
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


def slot_device(index: int) -> str:
    """The device of a slot as the machine numbers it, e.g. ``cuda:2``; its child sees that GPU alone and calls it ``cuda:0``."""
    gpus = gpu_ids()
    if not gpus:
        return "mps" if sys.platform == "darwin" and platform.machine() == "arm64" else "cpu"
    place = index % len(gpus)
    return f"cuda:{gpus[place] if gpus[place].isdigit() else place}"


def brief(devices: Iterable[str]) -> str:
    """All devices in a few words: ``cpu``, or ``cuda:0-3,6``."""
    numbers = sorted({int(device.partition(":")[2]) for device in devices if device.startswith("cuda:")})
    others = sorted({device for device in devices if not device.startswith("cuda:")})
    return ", ".join([f"cuda:{_ranges(numbers)}"] * bool(numbers) + others)


def _ranges(numbers: list[int]) -> str:
    """``0-3,6`` for 0, 1, 2, 3, 6: consecutive numbers keep their distance from their place in the list."""
    groups = ([number for _, number in group] for _, group in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]))
    return ",".join(f"{group[0]}-{group[-1]}" if len(group) > 1 else str(group[0]) for group in groups)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
