"""When memory runs out: which field asked for it, and the largest batch that would have run."""

import contextlib
import ctypes
import gc
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import torch

from tauscope.execution.events import Failed
from tauscope.specs import ExperimentSpec

# What allocators say that raise no error of their own: that of the CPU, on Linux and on Windows, and that of MPS. oneDNN, which
# computes convolutions on the CPU, does not tell what it lacks; it has been seen to fail so for lack of memory alone.
_PHRASES = ("can't allocate memory", "not enough memory", "out of memory", "could not create a primitive", "could not create a memory")

_STEP = ("tauscope.training.trainer", "advance")
_MEASURING = {
    "tauscope.metrics.losses": "measurement.loss_pairs",
    "tauscope.experiments.image_measurement": "measurement.n_generated",
    "tauscope.experiments.sampling": "measurement.n_generated",
}


def ran_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that an allocation was refused."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in _PHRASES)


@dataclass(frozen=True)
class BatchSearch:
    """The batches that were tried, and the first of them that ran, if any did."""

    fits: int | None
    tried: tuple[int, ...]


@dataclass(frozen=True)
class Shortage:
    """That memory ran out; holds no tensor and no frame, so that all of it can be freed.

    ``field`` is the spec's field that asked for too much: ``batch_size`` in a training step, one of ``measurement``, or none
    that is known.
    """

    field: str | None
    traceback: str

    @classmethod
    def of(cls, error: BaseException) -> "Shortage":
        """Find out from the error's frames, from the outermost to the innermost."""
        field = None
        for frame, _ in traceback.walk_tb(error.__traceback__):
            module, function = str(frame.f_globals.get("__name__")), frame.f_code.co_name
            field = "batch_size" if (module, function) == _STEP else _MEASURING.get(module, field)
        return cls(field, "".join(traceback.format_exception(error)))

    def failure(self, spec: ExperimentSpec, device: torch.device) -> Failed:
        """The failure outside of a training step."""
        if self.field is None:
            return self._failed(f"the run does not fit in the memory of {device}", "Lower network.base_width or dataset.n_train")
        value = getattr(spec.measurement, self.field.rpartition(".")[2])
        message = f"the memory of {device} ran out while measuring, with {self.field} {value}"
        return self._failed(message, f"Lower {self.field} or network.base_width; training itself fits")

    def batch_failure(self, spec: ExperimentSpec, device: torch.device, search: BatchSearch) -> Failed:
        """The failure in a training step, naming the batch that fits."""
        tried = f" (tried {', '.join(map(str, search.tried))})" if search.tried else ""
        named = f'"full", {spec.batch} images,' if getattr(spec, "batch_size", None) == "full" else str(spec.batch)
        message = f"batch_size {named} does not fit in the memory of {device}"
        if search.fits is None:
            remedy = "Lower network.base_width" if 1 in (spec.batch, *search.tried) else "Lower batch_size or network.base_width"
            return self._failed(f"{message}, nor does any that was tried{tried}" if tried else message, remedy)
        remedy = f"Set compute.micro_batch to {search.fits} for the same batch in parts, or lower batch_size or network.base_width"
        return self._failed(f"{message}; {search.fits} does{tried}", remedy)

    def _failed(self, message: str, remedy: str) -> Failed:
        return Failed(code="out_of_memory", message=message, remedy=remedy, traceback=self.traceback)


def largest_batch(fits: Callable[[int], bool], batch: int, *, ended: Callable[[], bool] = lambda: False) -> BatchSearch:
    """Halve ``batch``, which does not fit, until ``fits`` says that it does.

    Args:
        fits: makes real training steps with so many images each.
        ended: whether the search is to be broken off.
    """
    tried: list[int] = []
    while batch > 1 and not ended():
        batch //= 2
        tried.append(batch)
        if fits(batch):
            return BatchSearch(batch, tuple(tried))
    return BatchSearch(None, tuple(tried))


def free_memory() -> None:
    """Give back to the machine what nothing refers to any more; other processes are to find it free."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # Only glibc keeps freed memory, and has this.
        ctypes.CDLL(None).malloc_trim(0)
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
