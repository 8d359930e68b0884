"""``python -m tests.chaos.part MODULE...``: a module of the service that sends every wake-up twice, on the flaky store."""

import runpy
import sys

from backend.storage.outbox import Outbox
from tests.chaos.flaky_store import register
from tests.flows.doubled import send_twice

if __name__ == "__main__":
    register()
    Outbox.wake = send_twice  # type: ignore[method-assign]
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
