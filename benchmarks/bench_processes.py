"""Two trainer processes with one thread each against one process with two threads, on the digits network.

The ratio is of training steps done per second by the whole machine, measured in turn in one run; glibc's allocator.
"""

import os
import subprocess
import sys

STEPS = 60
SCRIPT = """
import sys, time, torch
from pathlib import Path
from tauscope.experiments.image_ddpm import ImageDdpmExperiment
from tauscope.specs import load_preset
torch.set_num_threads(int(sys.argv[1]))
spec = load_preset("digits-demo").sweep.resolve()[2].spec
trainer = ImageDdpmExperiment(spec, device=torch.device("cpu"), folder=Path("unused")).trainer
for _ in range(5): trainer.advance()
start = time.perf_counter()
for _ in range(int(sys.argv[2])): trainer.advance()
print(int(sys.argv[2]) / (time.perf_counter() - start))
"""


def steps_per_second(processes: int, threads: int) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    command = [sys.executable, "-c", SCRIPT, str(threads), str(STEPS)]
    children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(processes)]
    return sum(float(child.communicate()[0]) for child in children)


def main() -> None:
    ratios = [steps_per_second(2, 1) / steps_per_second(1, 2) for _ in range(3)]
    print(f"two processes of one thread do {sorted(ratios)[1]:.2f} times the steps of one process of two threads (median of 3)")


if __name__ == "__main__":
    main()
