"""A training step on a mixture against its matrix products alone.

Medians of the process's CPU seconds on one thread, interleaved in one run, so that other load is in neither or in both. The products are
those of forward and backward pass at the run's sizes, called one after the other with nothing between, on operands that the caches keep.
The step is all of it: draws, passes, Adam, and the look at its loss.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from tauscope.experiments.gmm import GmmExperiment
from tauscope.specs.gmm import GmmSpec
from tauscope.specs.mlp import TIME_FEATURES

STEPS, ROUNDS = 128, 9  # Steps in whole blocks of what is made at once, or a median would count a block too many.
SIZES = ((8, 64, 128), (8, 128, 256), (128, 256, 256), (128, 512, 512))  # Dimensions, width, batch.


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    for _ in range(STEPS):
        work()
    return (time.process_time() - start) / STEPS


def products(dim: int, width: int, batch: int, blocks: int) -> Callable[[], None]:
    asked, h, out = torch.randn(batch, dim + TIME_FEATURES), torch.randn(batch, width), torch.randn(batch, dim)
    first, block, last = torch.randn(width, dim + TIME_FEATURES), torch.randn(width, width), torch.randn(dim, width)

    def run() -> None:
        torch.mm(asked, first.T), torch.mm(h.T, asked)
        for _ in range(blocks):
            torch.mm(h, block.T), torch.mm(h.T, h), torch.mm(h, block)
        torch.mm(h, last.T), torch.mm(out.T, h), torch.mm(out, last)

    return run


def compare(dim: int, width: int, batch: int, blocks: int = 3) -> None:
    spec = GmmSpec.model_validate(
        {"dataset": {"dim": dim}, "network": {"base_width": width, "blocks": blocks}, "batch_size": batch, "steps": 10**6, "ema": None}
    )
    with tempfile.TemporaryDirectory() as folder:
        experiment = GmmExperiment(spec, device=torch.device("cpu"), folder=Path(folder))
        alone = products(dim, width, batch, blocks)
        times = [(cpu_seconds(experiment.advance), cpu_seconds(alone)) for _ in range(ROUNDS)]
    step, product = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(a / b for a, b in times)
    print(f"d = {dim}, W = {width}, batch {batch}: step {1e6 * step:,.0f} us, products {1e6 * product:,.0f} us, ratio {ratio:.2f}")


def main() -> None:
    torch.set_num_threads(1)
    for size in SIZES:
        compare(*size)


if __name__ == "__main__":
    main()
