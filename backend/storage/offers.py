"""What a worker offers to compute, and which runs that suits."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, and_, or_, true

from backend.storage.tables import Run, Worker
from tauscope.contracts.runs import DEFAULT_QUEUE
from tauscope.version import code_version

ANY_DEVICE = "auto"


@dataclass(frozen=True)
class Offer:
    """The queues that a worker serves, its kinds of device (``cpu``, ``cuda``, ``mps``), and its code.

    ``accepts_other_code``: it also goes on from checkpoints that other code wrote.
    """

    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    devices: tuple[str, ...] = ("cpu",)
    code_version: str = field(default_factory=code_version)
    accepts_other_code: bool = False


def offer_of(worker: Worker) -> Offer:
    """The offer that a worker's row tells of."""
    devices = kinds(worker.device.split(", "))
    return Offer(tuple(worker.queues), devices, worker.code_version, worker.code_version_policy == "accept")


def kinds(devices: Iterable[str]) -> tuple[str, ...]:
    """The kinds of device among these, and the CPU, which is everywhere."""
    return tuple(sorted({device.partition(":")[0] for device in devices if device} | {"cpu"}))


def suits(offer: Offer) -> ColumnElement[bool]:
    """Runs that the worker may claim. ``backend.services.waiting`` says the same of single rows, with the reason."""
    return and_(Run.queue.in_(offer.queues), _on_its_devices(offer), _after_its_code(offer))


def _on_its_devices(offer: Offer) -> ColumnElement[bool]:
    device = Run.spec["device"].as_string()
    numbered = (device.startswith(f"{kind}:") for kind in offer.devices)
    return or_(device.is_(None), device.in_((ANY_DEVICE, *offer.devices)), *numbered)


def _after_its_code(offer: Offer) -> ColumnElement[bool]:
    if offer.accepts_other_code:
        return true()
    unknown = or_(Run.checkpoint_step.is_(None), Run.checkpoint_version.is_(None))
    return or_(unknown, Run.checkpoint_version == offer.code_version)
