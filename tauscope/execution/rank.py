"""Another rank of a run on several devices: ``python -m tauscope.execution.rank``, started by rank 0 alone.

It reads an order and then a line for every step from standard input, and ends with it. It measures and writes nothing.
"""

import json
import os
import sys
from pathlib import Path

import torch

from tauscope.experiments import EXPERIMENTS
from tauscope.specs import KINDS
from tauscope.training.ranks import Ranks


def main() -> None:
    """Train beside rank 0 until it closes the pipe."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    order = json.loads(sys.stdin.buffer.readline())
    spec = KINDS[order["spec"]["kind"]].model_validate(order["spec"])
    device = torch.device(order["device"])
    if device.type == "cuda":
        torch.cuda.set_device(device)
    team = Ranks(order["rank"], spec.devices)
    experiment = EXPERIMENTS[spec.kind](spec, device=device, folder=Path(os.devnull), team=team)
    experiment.begin(Path(order["checkpoint"]) if order["checkpoint"] else None)
    sys.stdout.buffer.write(b"ready\n")
    sys.stdout.buffer.flush()
    team.meet(Path(order["meeting"]), device)
    for _ in sys.stdin.buffer:
        experiment.advance()
    os._exit(0)  # Rank 0 has gone: there is nobody left to part from.


if __name__ == "__main__":
    main()
