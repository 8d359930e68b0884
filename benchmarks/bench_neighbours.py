"""Nearest distinct neighbours against their matrix product alone, and the memory and time of 10,000 samples among 200,000 images.

The product alone is PyTorch's; beside it stand NumPy's and oneDNN's, which the search itself asks for.

Medians of the process's CPU seconds, side by side in one run on one thread: other load on the machine is not in them. The
200,000 images are a memory map of bytes, searched in a process of its own whose peak memory Linux tells at its end.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tauscope.metrics.neighbours import References, products

REPEATS = 5
PIXELS = 1024
MANY_IMAGES, MANY_SAMPLES = 200_000, 10_000


def cpu_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times)


def compare(n_train: int, n_samples: int = 1000) -> None:
    generator = torch.Generator().manual_seed(0)
    queries, rows = torch.rand(n_samples, PIXELS, generator=generator), torch.rand(n_train, PIXELS, generator=generator)
    prepared = References(rows)
    product = cpu_seconds(lambda: queries @ rows.T)
    search, preparing = cpu_seconds(lambda: prepared.nearest(queries)), cpu_seconds(lambda: References(rows))
    fifty = cpu_seconds(lambda: prepared.nearest(queries, k=50))
    print(
        f"{n_samples:,} samples among {n_train:,} images of {PIXELS:,} pixels, in times of the product alone: "
        f"2 nearest {search / product:.2f}, 50 nearest {fifty / product:.2f}, preparing once {preparing / product:.2f}"
    )
    x, y = queries.numpy(), rows.numpy()
    numpys, one_dnns = cpu_seconds(lambda: x @ y.T), cpu_seconds(lambda: products(queries, rows))
    print(f"    the 2 nearest in times of NumPy's product {search / numpys:.2f}, of oneDNN's {search / one_dnns:.2f}")


def compare_broadcast() -> None:
    generator = torch.Generator().manual_seed(0)
    queries, rows = torch.rand(1000, PIXELS, generator=generator), torch.rand(512, PIXELS, generator=generator)
    ours = cpu_seconds(lambda: References(rows).nearest(queries))
    broadcast = cpu_seconds(lambda: (queries[:, None, :] - rows).square().sum(2).topk(2, largest=False), 3)
    print(
        f"1,000 samples among 512 images: the broadcast of all differences takes {broadcast / ours:.1f} times as long, preparing included"
    )


def peak_memory() -> float:
    """MiB. Not getrusage, whose maximum a process inherits from the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def search_many(file: str) -> None:
    """The child: prepare and search, then say what it cost."""
    torch.set_num_threads(1)
    empty = peak_memory()
    rows = torch.from_numpy(np.load(file, mmap_mode="c"))
    queries = torch.rand(MANY_SAMPLES, PIXELS, generator=torch.Generator().manual_seed(1))
    start = time.process_time()
    references = References(rows)
    preparing = time.process_time() - start
    search = cpu_seconds(lambda: references.nearest(queries), 1)
    peak = peak_memory()
    block = torch.rand(16_384, PIXELS)
    product = cpu_seconds(lambda: queries[:1000] @ block.T) * (MANY_SAMPLES / 1000) * (MANY_IMAGES / 16_384)
    print(
        f"{MANY_SAMPLES:,} samples among {MANY_IMAGES:,} images of {PIXELS:,} bytes: {search:.0f} s of CPU, {search / product:.2f} times "
        f"their product (a 122nd of it measured, {product:.0f} s for all); preparing once {preparing:.1f} s; "
        f"peak memory {peak:,.0f} MiB, of which {empty:,.0f} before there were images"
    )


def main() -> None:
    torch.set_num_threads(1)
    allocator = os.environ.get("LD_PRELOAD") or "glibc's malloc"
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    print(
        f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}, 1 thread, {allocator}; PyTorch {torch.__version__} with ", end=""
    )
    print(f"{'MKL' if torch.backends.mkl.is_available() else 'its own BLAS'}, NumPy {np.__version__} with {blas}")
    for n_train in (2048, 16_384):
        compare(n_train)
    compare_broadcast()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.npy"
        np.save(file, np.random.default_rng(0).integers(0, 256, (MANY_IMAGES, PIXELS), dtype=np.uint8))
        subprocess.run([sys.executable, __file__, str(file)], check=True)


if __name__ == "__main__":
    search_many(sys.argv[1]) if len(sys.argv) > 1 else main()
