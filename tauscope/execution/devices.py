"""From a spec's ``device`` to a device of this machine, and whether nobody else holds it."""

import time
from collections.abc import Callable

import torch

POLL_SECONDS = 0.5
# What CUDA itself takes in every process, this one included; no query tells whose it is.
CONTEXT_BYTES = 600 * 2**20


class DeviceError(Exception):
    """The device that a spec names is not on this machine."""

    code = "device_unavailable"

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class DeviceBusyError(DeviceError):
    """Another process holds the device's memory; later it may not."""

    code = "device_busy"


def choose_device(name: str) -> torch.device:
    """The device of that name; ``auto`` takes the first accelerator there is, else the CPU.

    Raises:
        DeviceError: naming what is here instead.
    """
    if name == "auto":
        return torch.device(available_devices()[0])
    here = available_devices()
    wanted = "cuda:0" if name == "cuda" else name
    if wanted not in here:
        raise DeviceError(f"device {name!r} is not on this machine, which has {', '.join(here)}", f"Set device to {here[0]} or auto")
    return torch.device(wanted)


def available_devices() -> list[str]:
    """Every usable device, best first, the CPU last."""
    devices = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def bytes_of_others(device: torch.device) -> tuple[int, int]:
    """How many bytes of a CUDA device other processes hold, as far as can be told, and how many it has."""
    free, total = torch.cuda.mem_get_info(device)
    return max(0, total - free - torch.cuda.memory_reserved(device) - CONTEXT_BYTES), total


def wait_until_free(
    device: torch.device,
    *,
    share: float,
    patience: float,
    ended: Callable[[], bool] = lambda: False,
    memory: Callable[[torch.device], tuple[int, int]] = bytes_of_others,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Return when other processes hold at most ``share`` of a CUDA device's memory; at once on any other device, or for a share of 1.

    Args:
        patience: seconds to wait for that.
        ended: whether the wait is to be broken off.

    Raises:
        DeviceBusyError: if it is not so in time, saying how much they hold.
    """
    if device.type != "cuda" or share >= 1:
        return
    deadline = clock() + patience
    while True:
        held, total = memory(device)
        if held <= share * total:
            return
        if ended() or clock() >= deadline:
            raise DeviceBusyError(
                f"other processes hold {held / 2**30:.1f} of {total / 2**30:.1f} GiB of {device}, more than a share of {share:g}",
                "It is tried again; end what holds the device (nvidia-smi lists it), or raise TAUSCOPE_DEVICE_BUSY_SHARE",
            )
        sleep(POLL_SECONDS)
