"""A training step of the paper's U-Net against diffusers' UNet2DModel with the same parameters, four heads and the same loss.

    pip install --no-deps diffusers "huggingface_hub<2" importlib_metadata zipp regex tqdm
    OMP_NUM_THREADS=1 python -m benchmarks.bench_unet

Two processes take turns on the same batches and weights, in processor seconds; the ratio is of the best step of each, and once
more of the medians. Ours runs as our trainer child does, with its allocator settings; the other one first with the same
settings, then as Python starts; the first line says whether Numba is there for our layers. diffusers is Apache 2.0 and needed here alone.
"""

import importlib.util
import os
import statistics
import subprocess
import sys
import time

from tauscope.execution.trainer_process import KEEP_FREED_MEMORY

BATCH = {8: 64, 32: 16}
STEPS, SAME_LOSS = 8, 1e-5
PLAIN = {name: value for name, value in os.environ.items() if name not in KEEP_FREED_MEMORY}


class Side:
    """One of both, in a process of its own that makes a step whenever it is told to."""

    def __init__(self, name: str, width: int, environment: dict[str, str]) -> None:
        command = [sys.executable, "-m", "benchmarks.bench_unet", name, str(width)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True, bufsize=1)
        self.seconds: list[float] = []
        self.losses: list[float] = []
        self.allocator = "as our child's" if KEEP_FREED_MEMORY.keys() <= environment.keys() else "glibc as it starts"

    def step(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("step\n")
        seconds, loss = self.process.stdout.readline().split()
        self.seconds.append(float(seconds))
        self.losses.append(float(loss))

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def compare(width: int) -> None:
    kept = PLAIN | KEEP_FREED_MEMORY
    ours, same, plain = sides = (Side("ours", width, kept), Side("diffusers", width, kept), Side("diffusers", width, PLAIN))
    for _ in range(STEPS + 1):  # The first one warms up.
        for side in sides:
            side.step()
    for side in sides:
        side.end()
    apart = max(abs(mine - theirs) for mine, theirs in zip(ours.losses[:2], same.losses[:2], strict=True))
    best, median = min(ours.seconds[1:]), statistics.median(ours.seconds[1:])
    print(f"W = {width}, batch {BATCH[width]}: ours {best:.3f} s ({ours.allocator}); losses of the first two steps agree to {apart:.1e}")
    for other in (same, plain):
        ratio, typical = min(other.seconds[1:]) / best, statistics.median(other.seconds[1:]) / median
        print(
            f"  diffusers {min(other.seconds[1:]):.3f} s ({other.allocator}): {ratio:.2f} times ours, of medians {typical:.2f}", flush=True
        )
    assert apart < SAME_LOSS


def serve(name: str, width: int) -> None:
    """Make a step for every line that comes in."""
    import torch

    from benchmarks.unet_peer import peer, same_weights
    from tauscope.networks import UNet
    from tauscope.networks.unet import memory_format
    from tauscope.specs.optimizer import AdamSpec
    from tauscope.training.optimizers import build_optimizer

    lr = AdamSpec().lr
    torch.manual_seed(0)
    ours = UNet(1, width, (1, 2, 4), (False, True, True))
    x_t, t, eps = torch.randn(BATCH[width], 1, 32, 32), torch.randint(0, 1000, (BATCH[width],)), torch.randn(BATCH[width], 1, 32, 32)
    if name == "ours":
        network = ours.to(memory_format=memory_format(x_t.device, 32))  # type: ignore[call-overload]
        optimizer = build_optimizer(network.parameters(), AdamSpec())
    else:
        network = same_weights(ours, peer(width))
        optimizer = torch.optim.Adam(network.parameters(), lr=lr)
    for _ in sys.stdin:
        began = time.process_time()
        loss = (network(x_t, t) - eps).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step(*([lr] if name == "ours" else []))
        print(time.process_time() - began, float(loss.detach()), flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1], int(sys.argv[2]))
    else:
        compiled = "with" if importlib.util.find_spec("numba") else "without"
        print(f"OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'unset')}, {compiled} Numba, our child's allocator: {KEEP_FREED_MEMORY}")
        for width in BATCH:
            compare(width)
