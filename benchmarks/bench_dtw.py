"""The two nearest training windows under banded dynamic time warping: pruned by LB_Keogh, over all pairs, and by the textbook loop.

Seconds of CPU on one thread, the loop's extrapolated from a few pairs; windows of the size of the preset `weather` on a smooth random
series, samples half near-copies and half new. `PYTHONPATH=. python benchmarks/bench_dtw.py`
"""

import time
from collections.abc import Callable

import numpy as np
import torch

from tauscope.metrics.dtw import banded_dtw
from tauscope.metrics.window_memorization import TrainingWindows

CHANNELS, LENGTH, RADIUS, SAMPLES, PAIRS_OF_LOOP = 4, 24, 2, 512, 200


def windows(n_train: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Training windows, their starts, and samples."""
    rng = np.random.default_rng(0)
    steps = np.zeros((CHANNELS, (n_train + SAMPLES // 2) * LENGTH))
    noise = rng.standard_normal(steps.shape)
    for i in range(1, steps.shape[1]):
        steps[:, i] = 0.97 * steps[:, i - 1] + 0.25 * noise[:, i]
    cut = torch.from_numpy(steps).unfold(1, LENGTH, LENGTH).transpose(0, 1)
    train, new = cut[:n_train], cut[n_train:]
    copies = train[torch.arange(SAMPLES // 2) % n_train] + 0.1 * torch.from_numpy(rng.standard_normal((SAMPLES // 2, CHANNELS, LENGTH)))
    return train, torch.arange(n_train) * LENGTH, torch.cat([copies, new])


def seconds(work: Callable[[], object], repeats: int = 3) -> float:
    """The least of several times."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def textbook(x: np.ndarray, y: np.ndarray) -> float:
    table = np.full((LENGTH + 1, LENGTH + 1), np.inf)
    table[0, 0] = 0
    for i in range(1, LENGTH + 1):
        for j in range(max(1, i - RADIUS), min(LENGTH, i + RADIUS) + 1):
            table[i, j] = ((x[:, i - 1] - y[:, j - 1]) ** 2).sum() + min(table[i - 1, j - 1], table[i - 1, j], table[i, j - 1])
    return float(table[-1, -1] ** 0.5)


def main() -> None:
    torch.set_num_threads(1)
    print("n_train  pruned s  pairs computed  all pairs s  ratio  textbook loop s  ratio")
    for n_train in (64, 256, 1024):
        train, starts, samples = windows(n_train)
        table = TrainingWindows(train, starts)
        share = table.warped(samples, radius=RADIUS)[1]
        pruned = seconds(lambda: table.warped(samples, radius=RADIUS))  # noqa: B023 - called at once
        every = samples.repeat_interleave(n_train, 0), train.repeat(SAMPLES, 1, 1)
        unpruned = seconds(lambda: banded_dtw(*every, radius=RADIUS), 1)  # noqa: B023
        x, y = (part[:PAIRS_OF_LOOP].numpy() for part in every)
        loop = seconds(lambda: [textbook(a, b) for a, b in zip(x, y, strict=True)], 1) / PAIRS_OF_LOOP * SAMPLES * n_train  # noqa: B023
        print(f"{n_train:7d}  {pruned:8.3f}  {share:14.1%}  {unpruned:11.3f}  {unpruned / pruned:5.1f}  {loop:15.1f}  {loop / pruned:5.0f}")


if __name__ == "__main__":
    main()
