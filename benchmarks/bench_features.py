"""What feature networks and the qualities on their features cost: seconds of CPU for 1,000 images, one thread, glibc's allocator.

Networks that are not installed are left out. The qualities are of made-up features: 500 samples, 500 held-out and 1,000 training images.
"""

import time
from collections.abc import Callable
from typing import get_args

import numpy as np
import torch

from tauscope.features import FeatureError
from tauscope.features.registry import build_features
from tauscope.metrics.quality import Qualities, RealFeatures
from tauscope.specs.features import BESIDE, Features, InceptionFeatures, MobileNetFeatures, PixelsPcaFeatures, QualityMetric

NETWORKS: tuple[tuple[Features, int], ...] = ((PixelsPcaFeatures(), 1024), (MobileNetFeatures(), 128), (InceptionFeatures(), 32))
WIDTHS = {"mobilenet_v2": 1280, "inception": 2048}
SAMPLES, HELD_OUT, TRAIN = 500, 500, 1000


def cpu_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    torch.set_num_threads(1)
    images = torch.randint(0, 256, (1024, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for spec, count in NETWORKS:
        try:
            network = build_features(spec, images, torch.device("cpu"))
        except FeatureError as error:
            print(f"{spec.name}: {error.message}. {error.remedy}")
            continue
        network.features(images[:8])  # The first call also compiles.
        network.features(images[:8])
        seconds = cpu_seconds(lambda: [network.features(block) for block in images[:count].split(32)])  # noqa: B023
        print(f"{spec.name}: {1000 * seconds / count:.2f} s for 1,000 images of 32 x 32", flush=True)
    rng = np.random.default_rng(0)
    for name, width in WIDTHS.items():
        samples, held_out, train = (np.abs(rng.standard_normal((n, width))).astype(np.float32) for n in (SAMPLES, HELD_OUT, TRAIN))
        for metric in get_args(QualityMetric):
            prepared: list[Qualities] = []
            real, asked = RealFeatures((held_out,), held_out, train, train), (metric, *BESIDE.get(metric, ()))
            once = cpu_seconds(lambda: prepared.append(Qualities(real, asked)))  # noqa: B023
            each = cpu_seconds(lambda: prepared[0].of(samples))  # noqa: B023
            again = cpu_seconds(lambda: prepared[0].of(samples))  # noqa: B023
            print(
                f"{metric} on {width} features ({name}): {min(each, again):.2f} s a checkpoint, {once + each - again:.2f} s once",
                flush=True,
            )


if __name__ == "__main__":
    main()
