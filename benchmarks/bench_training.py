"""Options of a training step against the plain step, side by side: ratios of CPU seconds a step, and how far the losses part.

On the digits' network (8x8, W = 16) and the paper's at W = 8 and 32 (32x32), all preconditioned, with Adam. Options take turns,
and the least time of each counts: a busy machine slows all of them alike.

    OMP_NUM_THREADS=1 python -m benchmarks.bench_training [rounds] [--compile]
"""

import os
import sys
import time

import torch

from tauscope.execution.trainer_process import KEEP_FREED_MEMORY
from tauscope.experiments.image_ddpm import build_network
from tauscope.process import Diffusion
from tauscope.specs import ImageDdpmSpec
from tauscope.training.trainer import Trainer

DIGITS = {"base_width": 16, "multipliers": [1, 2], "blocks": 1, "attention": [False, True]}
NETWORKS = {
    "digits, 8x8, W = 16": (DIGITS, 8, 64),
    "paper's, 32x32, W = 8": ({"base_width": 8}, 32, 32),
    "paper's, 32x32, W = 32": ({"base_width": 32}, 32, 16),
}
OPTIONS = {
    "plain": {},
    "precision: bfloat16": {"precision": "bfloat16"},
    "memory_format: channels_last": {"memory_format": "channels_last"},
    "both": {"precision": "bfloat16", "memory_format": "channels_last"},
    "micro_batch: half": {"micro_batch": 0},
}
LOSSES = 10


def trainer(network: dict[str, object], size: int, batch: int, compute: dict[str, object]) -> Trainer:
    if compute.get("micro_batch") == 0:
        compute = {**compute, "micro_batch": batch // 2}
    spec = ImageDdpmSpec.model_validate(
        {
            "network": network,
            "dataset": {"size": size, "n_train": batch},
            "batch_size": batch,
            "compute": compute,
            "optimizer": {"name": "adam", "lr": 1e-3},
        }
    )
    diffusion = Diffusion.of(spec.process)
    built = build_network(spec, diffusion, channels=1, data_std=0.5)
    if spec.compute.memory_format == "channels_last":
        built = built.to(memory_format=torch.channels_last)
    images = 0.5 * torch.randn(batch, 1, size, size, generator=torch.Generator().manual_seed(0))
    return Trainer(spec, built, diffusion, images)


def step_seconds(trained: Trainer) -> float:
    started = time.process_time()
    trained.advance()
    return time.process_time() - started


def measure(name: str, rounds: int, options: dict[str, dict[str, object]]) -> None:
    network, size, batch = NETWORKS[name]
    trainers = {option: trainer(network, size, batch, compute) for option, compute in options.items()}
    losses = {option: [float(trained.advance()) for _ in range(LOSSES)] for option, trained in trainers.items()}
    seconds = {option: step_seconds(trained) for option, trained in trainers.items()}
    for _ in range(rounds):
        for option, trained in trainers.items():
            seconds[option] = min(seconds[option], step_seconds(trained))
    for option in options:
        parted = max(abs(ours / plain - 1) for ours, plain in zip(losses[option], losses["plain"], strict=True))
        ratio = seconds["plain"] / seconds[option]
        took = f"{1e3 * seconds[option]:.1f} ms of CPU, {ratio:.2f}x"
        print(f"{name}, batch {batch} | {option} | {took} | {LOSSES} losses within {parted:.1e}", flush=True)


def main() -> None:
    arguments = [argument for argument in sys.argv[1:] if argument != "--compile"]
    options: dict[str, dict[str, object]] = {**OPTIONS, **({"compile: true": {"compile": True}} if "--compile" in sys.argv else {})}
    allocator = "glibc, keeping freed memory" if "MALLOC_TRIM_THRESHOLD_" in os.environ else "glibc as it comes"
    print(f"{torch.get_num_threads()} thread(s), torch {torch.__version__}, {allocator}, load {os.getloadavg()[0]:.1f}", flush=True)
    for name in NETWORKS:
        measure(name, int(arguments[0]) if arguments else 20, options)


if __name__ == "__main__":
    # glibc reads its settings when a process starts: begin anew with those of a trainer child.
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        os.execve(sys.executable, [sys.executable, "-m", "benchmarks.bench_training", *sys.argv[1:]], {**os.environ, **KEEP_FREED_MEMORY})
    main()
