"""``python -m tests.flows.doubled MODULE``: run a module of the service that sends every wake-up twice."""

import runpy
import sys
from collections.abc import Sequence

from backend.storage.outbox import Outbox, Work

send_once = Outbox.wake


def send_twice(self: Outbox, runs: Sequence[tuple[str, str]], work: Work = "train") -> list[str]:
    send_once(self, runs, work)
    return send_once(self, runs, work)


if __name__ == "__main__":
    Outbox.wake = send_twice  # type: ignore[method-assign]
    module = sys.argv[1]
    sys.argv = [module, *sys.argv[2:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
