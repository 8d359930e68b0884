"""What a worker offers to compute, and which runs that suits."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, case, exists, or_, true
from sqlalchemy.orm import InstrumentedAttribute

from backend.storage.tables import Evaluation, RemeasuredStep, Run, RunFile, Worker
from tauscope.contracts.runs import DEFAULT_QUEUE
from tauscope.version import code_version

ANY_DEVICE = "auto"
_CPU = "cpu"


@dataclass(frozen=True)
class Offer:
    """The queues that a worker serves, its kinds of device (``cpu``, ``cuda``, ``mps``), and its code.

    ``accepts_other_code``: it also goes on from checkpoints that other code wrote.
    """

    queues: tuple[str, ...] = (DEFAULT_QUEUE,)
    devices: tuple[str, ...] = (_CPU,)
    code_version: str = field(default_factory=code_version)
    accepts_other_code: bool = False

    def version(self, spec: dict[str, Any]) -> str:
        """What computes a run of this spec here: the code and, but for the CPU, the kind of device, as in ``0.4+3f0c@cuda``.

        Floating-point sums differ between kinds of device as they do between versions of the code.
        """
        return self.code_version if spec.get("device") == _CPU else self.best_version

    @property
    def best_version(self) -> str:
        """What computes a run that names no device, or the better one."""
        better = [kind for kind in self.devices if kind != _CPU]
        return f"{self.code_version}@{better[0]}" if better else self.code_version


def offer_of(worker: Worker) -> Offer:
    """The offer that a worker's row tells of."""
    devices = kinds(worker.device.split(", "))
    return Offer(tuple(worker.queues), devices, worker.code_version, worker.code_version_policy == "accept")


def kinds(devices: Iterable[str]) -> tuple[str, ...]:
    """The kinds of device among these, and the CPU, which is everywhere."""
    return tuple(sorted({device.partition(":")[0] for device in devices if device} | {_CPU}))


def suits(offer: Offer) -> ColumnElement[bool]:
    """Runs that the worker may claim. ``backend.services.waiting`` says the same of single rows, with the reason."""
    unknown = or_(Run.checkpoint_step.is_(None), Run.checkpoint_version.is_(None))
    return and_(_fits(offer), or_(unknown, _after_its_code(offer, Run.checkpoint_version)))


def suits_evaluation(offer: Offer) -> ColumnElement[bool]:
    """Checkpoints whose samples the worker may draw; select from ``Evaluation`` joined with ``Run``."""
    return and_(_fits(offer), _after_its_code(offer, Evaluation.code_version))


def suits_remeasurement(offer: Offer) -> ColumnElement[bool]:
    """Checkpoints that the worker may measure again; select from ``RemeasuredStep`` joined with ``Remeasurement`` and ``Run``.

    Any code may measure a checkpoint that is there; only the code that wrote it may train one again that is gone.
    """
    there = exists().where(RunFile.run_id == Run.id, RunFile.step == RemeasuredStep.step, RunFile.kind == "weights")
    return and_(_fits(offer), or_(there, _after_its_code(offer, RemeasuredStep.written_by)))


def could_draw(offer: Offer, spec: dict[str, Any], code: str) -> bool:
    """Whether a worker that offers this may draw samples of a run of this spec, computed by this code."""
    device = str(spec.get("device") or ANY_DEVICE).partition(":")[0]
    return device in (ANY_DEVICE, *offer.devices) and (offer.accepts_other_code or offer.version(spec) == code)


def _fits(offer: Offer) -> ColumnElement[bool]:
    return and_(Run.queue.in_(offer.queues), _on_its_devices(offer))


def _on_its_devices(offer: Offer) -> ColumnElement[bool]:
    device = _device()
    numbered = (device.startswith(f"{kind}:") for kind in offer.devices)
    return or_(device.is_(None), device.in_((ANY_DEVICE, *offer.devices)), *numbered)


def _after_its_code(offer: Offer, wrote: InstrumentedAttribute[str] | InstrumentedAttribute[str | None]) -> ColumnElement[bool]:
    return true() if offer.accepts_other_code else wrote == case((_device() == _CPU, offer.code_version), else_=offer.best_version)


def _device() -> ColumnElement[str]:
    return cast(ColumnElement[str], Run.spec["device"].as_string())
