"""``python -m tests.chaos.part MODULE...``: a module of the service on the flaky store, by clocks that step.

It sends every wake-up twice, and writes to its log what each of its threads does when it gets SIGUSR1.
"""

import faulthandler
import runpy
import signal
import sys

from tests.chaos.clock import obey_orders

if __name__ == "__main__":
    faulthandler.register(signal.SIGUSR1)
    obey_orders()  # Before anything is imported that takes hold of the clock.
    from backend.storage.outbox import Outbox
    from tests.chaos.flaky_store import register
    from tests.flows.doubled import send_twice

    register()
    Outbox.wake = send_twice  # type: ignore[method-assign]
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
