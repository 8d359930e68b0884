"""Nearest distinct neighbours against their matrix product alone, and against the full broadcast of differences.

Ratios of medians, side by side in one run; glibc's allocator. The broadcast gets fewer references, for it needs their product in memory.
"""

import statistics
import time
from collections.abc import Callable

import torch

from tauscope.metrics.neighbours import nearest_distinct

REPEATS = 5


def seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    queries = torch.rand(1000, 1024, generator=generator)
    for n_train in (2048, 16_384):
        references = torch.rand(n_train, 1024, generator=generator)
        ours = seconds(lambda: nearest_distinct(queries, references))  # noqa: B023 - called at once
        product = seconds(lambda: queries @ references.T)  # noqa: B023
        print(
            f"neighbours of 1,000 samples among {n_train:,} images of 1,024 pixels, 1 thread: {ours / product:.2f} times the product alone"
        )
    few = references[:512]
    ours = seconds(lambda: nearest_distinct(queries, few))
    broadcast = seconds(lambda: (queries[:, None, :] - few).square().sum(2).topk(2, largest=False))
    print(f"among 512 images: the broadcast takes {broadcast / ours:.1f} times as long")


if __name__ == "__main__":
    main()
