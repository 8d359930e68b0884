"""From a spec's ``device`` to a device of this machine."""

import torch


class DeviceError(Exception):
    """The device that a spec names is not on this machine."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


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
