"""Why a queued run is not computed: what the workers that are there do not offer."""

from collections.abc import Sequence

from backend.storage.offers import ANY_DEVICE, Offer, offer_of
from backend.storage.tables import Run, Worker
from tauscope.contracts.runs import DEFAULT_QUEUE, DesiredState, RunState


def waiting(run: Run, workers: Sequence[Worker]) -> str:
    """What keeps a queued run from being claimed, and the remedy; empty where it waits for nothing but a free slot.

    Args:
        run: the run; in any other state it waits for nobody.
        workers: those that live.
    """
    if run.state != RunState.QUEUED or run.desired != DesiredState.RUN:
        return ""
    if not (serving := [worker for worker in workers if run.queue in worker.queues]):
        return _unserved(run, workers)
    if not (having := [worker for worker in serving if _has_device(run, offer_of(worker))]):
        device = _device(run)
        return f"no worker of the queue {run.queue!r} has device {device}; start one on a machine with it, or launch with device: auto"
    if not (able := [worker for worker in having if _same_code(run, offer_of(worker))]):
        return _other_code(run, having)
    if all(worker.draining for worker in able):
        names = ", ".join(worker.name for worker in able)
        return f"the workers that could compute it are draining ({names}); start another, or: tauscope drain {able[0].name} --off"
    return ""


def _unserved(run: Run, workers: Sequence[Worker]) -> str:
    if not workers and run.queue == DEFAULT_QUEUE:
        return "no worker is there; start one with: python -m worker"
    return f"no worker serves the queue {run.queue!r}; start one with TAUSCOPE_QUEUES={run.queue}"


def _device(run: Run) -> str:
    return run.spec.get("device") or ANY_DEVICE


def _has_device(run: Run, offer: Offer) -> bool:
    return _device(run).partition(":")[0] in (ANY_DEVICE, *offer.devices)


def _same_code(run: Run, offer: Offer) -> bool:
    unknown = run.checkpoint_step is None or run.checkpoint_version is None
    return offer.accepts_other_code or unknown or run.checkpoint_version == offer.version(run.spec)


def _other_code(run: Run, workers: Sequence[Worker]) -> str:
    versions = ", ".join(sorted({offer_of(worker).version(run.spec) for worker in workers}))
    return (
        f"waits for a worker of code version {run.checkpoint_version}, which wrote its checkpoint at step {run.checkpoint_step};"
        f" the workers here run {versions}. Start one, or set TAUSCOPE_CODE_VERSION_POLICY=accept"
    )
