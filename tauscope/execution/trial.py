"""Whether a run's batch fits into memory, tried in a process of its own: ``python -m tauscope.execution.trial``.

After a refused allocation a process is in doubtful order, its heap in pieces and its libraries prone to crash; a fresh one
meets what the next launch would meet.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from tauscope.execution.devices import choose_device
from tauscope.execution.memory import ran_out_of_memory
from tauscope.experiments import EXPERIMENTS
from tauscope.specs import KINDS, ExperimentSpec
from tauscope.training.trainer import DivergedError

DOES_NOT_FIT = 3
# Allocations are at their highest in the second step: the optimizer's moments are made at the end of the first.
STEPS = 2


class TrialError(Exception):
    """The trial failed for another reason than memory."""


def fits(spec: ExperimentSpec, batch: int) -> bool:
    """Make real training steps with ``batch`` images each in a fresh process, which ends with this one.

    Raises:
        TrialError: if it cannot be told; the process has written why to standard error.
    """
    smaller = spec.model_copy(update={"batch_size": batch})
    with subprocess.Popen([sys.executable, "-m", __name__], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, bufsize=0) as process:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # Its exit code tells why it went.
            process.stdin.write(smaller.model_dump_json().encode() + b"\n")
        code = process.wait()
    if code == 0:
        return True
    if code == DOES_NOT_FIT or code < 0:  # A library may crash for lack of memory, or the kernel kill for it.
        return False
    raise TrialError(f"trying a batch of {batch} ended with exit code {code}")


def main() -> None:
    """Read a spec from standard input and make its first steps; exit with 0 if they fit into memory."""
    document = sys.stdin.buffer.readline()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _train(document)
    except (RuntimeError, MemoryError) as error:
        if not ran_out_of_memory(error):
            raise
        os._exit(DOES_NOT_FIT)


def _train(document: bytes) -> None:
    kind = json.loads(document)["kind"]
    spec = KINDS[kind].model_validate_json(document)
    experiment = EXPERIMENTS[kind](spec, device=choose_device(spec.device), folder=Path(os.devnull))
    with contextlib.suppress(DivergedError):  # It fits; what it learns does not matter here.
        for _ in range(STEPS):
            experiment.advance()


def _end_with_parent() -> None:
    # Not through sys.stdin, whose lock would be held at a regular exit.
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
