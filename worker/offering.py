"""What this worker offers to compute: by its settings, its devices and its code."""

from backend.storage.offers import Offer, kinds
from worker.settings import WorkerSettings
from worker.slots import SlotPool


def offer_of(settings: WorkerSettings, pool: SlotPool) -> Offer:
    """The offer with which it claims."""
    return Offer(queues=settings.queue_names, devices=kinds(pool.devices), accepts_other_code=settings.code_version_policy == "accept")
