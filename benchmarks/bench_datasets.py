"""What it costs to prepare a data set of CelebA's size once, and to open it from then on: CPU seconds, memory, disk.

A folder of 178x218 jpg files is made: 2,000 different ones, each under many names, so that every name is decoded. Each question is
answered in a process of its own.

    python -m benchmarks.bench_datasets [images] [folder]
"""

import multiprocessing
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from tauscope.datasets import load_split
from tauscope.specs.dataset import DatasetSpec

DIFFERENT, SIZE = 2000, 32


def write_images(folder: Path, n: int) -> None:
    for number in range(min(n, DIFFERENT)):
        coarse = np.random.default_rng(number).integers(0, 256, (24, 20, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((178, 218), Image.Resampling.BICUBIC).save(folder / f"{number + 1:06d}.jpg", quality=85)
    for number in range(DIFFERENT, n):
        os.link(folder / f"{number % DIFFERENT + 1:06d}.jpg", folder / f"{number + 1:06d}.jpg")


def load(folder: str, name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF)
    started = time.monotonic()
    split = load_split(DatasetSpec(name="celeba", path=folder, n_train=1024, n_held_out=2048, size=SIZE))
    seconds, used = time.monotonic() - started, resource.getrusage(resource.RUSAGE_SELF)
    cpu = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    grown = (used.ru_maxrss - before.ru_maxrss) / 1024
    print(f"{name}: {cpu:.2f} CPU s, {seconds:.2f} s, peak {used.ru_maxrss / 1024:.0f} MiB, {grown:.0f} of them new; {split.sha256()[:12]}")


def main(n: int, root: Path) -> None:
    folder = root / "img_align_celeba"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        write_images(folder, n)
    os.environ["TAUSCOPE_CACHE"] = str(root / "cache")
    for name in ("prepared for the first time", "opened again", "opened again"):
        child = multiprocessing.get_context("spawn").Process(target=load, args=(str(root), name))
        child.start()
        child.join()
    (cached,) = (root / "cache/datasets").glob("*/images.npy")
    print(f"on disk {cached.stat().st_size / 1e6:.0f} MB; as float32 in memory it would be {4 * cached.stat().st_size / 1e6:.0f} MB")
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


if __name__ == "__main__":
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 202_599
    with tempfile.TemporaryDirectory() as temporary:
        main(images, Path(sys.argv[2]) if len(sys.argv) > 2 else Path(temporary))
