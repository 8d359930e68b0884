"""Device slots, each with one warm trainer child."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager

from tauscope.execution.events import Ready, TrainerEvent
from tauscope.execution.trainer_process import TrainerProcess
from worker.devices import gpu_ids, slot_device, slot_environment
from worker.settings import WorkerSettings


class Slot:
    """A place to train one run at a time; its child stays warm from segment to segment."""

    def __init__(self, index: int, settings: WorkerSettings) -> None:
        self.index = index
        self.device = slot_device(index)
        self._settings = settings
        self._trainer: TrainerProcess | None = None

    def warm(self) -> TrainerProcess:
        """The slot's living child; a new one if it died or was discarded."""
        if self._trainer is None or not self._trainer.alive:
            self.discard()
            settings = self._settings
            environment = slot_environment(self.index) | self.device_check()
            self._trainer = TrainerProcess(threads=settings.threads_per_slot, environment=environment, module=settings.trainer_module)
        return self._trainer

    @property
    def warm_child(self) -> TrainerProcess:
        """The child that was given a command; it may have died since, which it reports as its last event."""
        assert self._trainer is not None
        return self._trainer

    def device_check(self) -> dict[str, str]:
        """How the child makes sure that its GPU is free, which it cannot be where slots share one on purpose."""
        settings = self._settings
        share = settings.device_busy_share if settings.slots <= len(gpu_ids()) else 1.0
        return {"TAUSCOPE_DEVICE_BUSY_SHARE": str(share), "TAUSCOPE_DEVICE_PATIENCE_SECONDS": str(settings.device_patience_seconds)}

    def note(self, event: TrainerEvent) -> None:
        """Remember what the child says about its device."""
        if isinstance(event, Ready) and not self.device.startswith(event.device.partition(":")[0]):
            self.device = event.device  # PyTorch has the last word, e.g. a build for the CPU on a machine with GPUs.

    def discard(self) -> None:
        """Kill the child: its run is no longer ours, or it does not answer."""
        if self._trainer is not None:
            self._trainer.kill()
            self._trainer = None

    def close(self) -> None:
        """Let the child exit."""
        if self._trainer is not None:
            self._trainer.close(timeout=2.0)
            self._trainer = None


class SlotPool:
    """All slots of a worker; each thread of the Celery pool takes one for a segment."""

    def __init__(self, settings: WorkerSettings) -> None:
        self.slots = tuple(Slot(index, settings) for index in range(settings.slots))
        # Last in, first out: with little to do, the same warm child does it.
        self._free: queue.LifoQueue[Slot] = queue.LifoQueue()
        for slot in reversed(self.slots):
            self._free.put(slot)

    @property
    def busy(self) -> int:
        return len(self.slots) - self._free.qsize()

    @property
    def devices(self) -> tuple[str, ...]:
        """Each slot's device, e.g. ``cpu`` or ``cuda:2``."""
        return tuple(slot.device for slot in self.slots)

    @contextmanager
    def take(self) -> Iterator[Slot]:
        """Borrow a free slot."""
        slot = self._free.get()
        try:
            yield slot
        finally:
            self._free.put(slot)

    def warm(self) -> None:
        """Start every child, so that the first run need not wait for PyTorch to load."""
        for slot in self.slots:
            slot.warm()

    def close(self) -> None:
        """Let every child exit."""
        for slot in self.slots:
            slot.close()
