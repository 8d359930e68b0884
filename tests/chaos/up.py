"""``python -m tests.chaos.up up ...``: the launcher with its parts run by ``tests.chaos.part`` and without the dashboard.

A part that dies often waits ever longer for its restart, up to 30 s; here at most one second, since parts die all the time.
"""

import sys
from collections.abc import Callable

import launcher.__main__ as command
import launcher.part
from launcher.part import Part
from launcher.stack import Stack
from tests.chaos.clock import obey_orders

LAST_BACKOFF = 1.0


class ChaosStack(Stack):
    """Differs from the real one in what its parts are called by, and in lacking the page."""

    def _make_parts(self, broker_url: str) -> list[Part]:
        parts = [part for part in super()._make_parts(broker_url) if part.name != "dashboard"]
        for part in parts:
            python, _, *module = part._command
            part._command = (python, "-m", "tests.chaos.part", *module)
        return parts

    def _wait_until(self, ready: Callable[[], bool], name: str) -> None:
        if name != "dashboard":
            super()._wait_until(ready, name)


if __name__ == "__main__":
    obey_orders()
    launcher.part.LAST_BACKOFF = LAST_BACKOFF
    command.Stack = ChaosStack  # type: ignore[attr-defined]
    sys.exit(command.main())
