"""A run starts only on a device that nobody else holds; the memory is told by a stand-in, so that no GPU is needed."""

from collections.abc import Iterator

import pytest
import torch

from tauscope.execution.devices import DeviceBusyError, wait_until_free

GIB = 2**30
GPU = torch.device("cuda:0")


class Machine:
    """A device whose other users let go after a while, and a clock that only sleeping moves."""

    def __init__(self, held: Iterator[float]) -> None:
        self._held = held
        self.now = 0.0
        self.asked = 0

    def memory(self, device: torch.device) -> tuple[int, int]:
        self.asked += 1
        return int(next(self._held) * GIB), 10 * GIB

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, device: torch.device = GPU, *, share: float = 0.1, ended: bool = False) -> None:
        doors = {"memory": self.memory, "clock": lambda: self.now, "sleep": self.sleep}
        wait_until_free(device, share=share, patience=60, ended=lambda: ended, **doors)  # type: ignore[arg-type]


def held(*gigabytes: float) -> Iterator[float]:
    yield from gigabytes
    while True:
        yield gigabytes[-1]


def test_a_free_device_is_taken_at_once() -> None:
    machine = Machine(held(1.0))
    machine.wait()
    assert (machine.asked, machine.now) == (1, 0.0)


def test_a_held_device_is_waited_for_until_it_is_let_go() -> None:
    machine = Machine(held(8.0, 8.0, 1.1, 0.3))
    machine.wait()
    assert (machine.asked, machine.now) == (4, 1.5)


def test_a_device_that_stays_held_is_refused_after_the_patience_with_how_much_is_held() -> None:
    machine = Machine(held(8.0))
    with pytest.raises(DeviceBusyError, match=r"8\.0 of 10\.0 GiB of cuda:0, more than a share of 0\.1") as busy:
        machine.wait()
    assert machine.now == 60
    assert (busy.value.code, "TAUSCOPE_DEVICE_BUSY_SHARE" in busy.value.remedy) == ("device_busy", True)


def test_a_worker_that_is_asked_to_end_does_not_go_on_waiting() -> None:
    machine = Machine(held(8.0))
    with pytest.raises(DeviceBusyError):
        machine.wait(ended=True)
    assert machine.now == 0


@pytest.mark.parametrize(("device", "share"), [("cpu", 0.1), ("mps", 0.1), ("cuda:0", 1.0)])
def test_nothing_is_asked_of_the_cpu_or_where_sharing_is_meant(device: str, share: float) -> None:
    machine = Machine(held(9.9))
    machine.wait(torch.device(device), share=share)
    assert machine.asked == 0
