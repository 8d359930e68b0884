"""A checkpoint's evaluation against the way of the published scripts: 10,000 samples of 32x32, 5 held-out sets, 1,024 training images.

    python benchmarks/bench_evaluation.py [W]

Their way (tbonnair/Why-Diffusion-Models-Don-t-Memorize, restated here): batches of 100 by 100 DDIM steps with explicit attention; for each
held-out set the samples written as PNG files, read again, and put through Inception anew, then scipy's sqrtm; the training images
subtracted from each batch by one broadcast. Ours: the network as the trainer lays it out, in blocks of samples, each image through
Inception once, roots of the held-out covariances kept from the first checkpoint, neighbours by References.

Their samples are drawn on the allocator as it starts, ours with freed memory kept, as Tauscope starts its children.
CPU seconds of the process on one thread, part by part in one run. Each part is measured on the few images that it prints and
scaled up in proportion, the favour being the same to both; starting their processes and writing their tensors is left out.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TypeVar

import numpy as np
import torch
from PIL import Image
from scipy import linalg
from torch import Tensor, nn
from torch.nn import functional as F

from tauscope.execution.trainer_process import KEEP_FREED_MEMORY
from tauscope.features import FeatureError
from tauscope.features.registry import build_features
from tauscope.features.torchscript import open_torchscript
from tauscope.features.weights import find_weights
from tauscope.metrics.frechet import FrechetReference, frechet_distance
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.neighbours import References
from tauscope.networks import UNet
from tauscope.networks.attention import SelfAttention
from tauscope.networks.unet import memory_format
from tauscope.process.diffusion import linear_schedule
from tauscope.samplers import sample_ddim
from tauscope.specs.features import InceptionFeatures

T = TypeVar("T")
SAMPLES, SETS, N_TRAIN, FEATURES = 10_000, 5, 1024, 2048
THEIR_BATCH, OUR_BATCH = 100, 256
STEPS_MEASURED, STEPS = 4, 100
FEW_STEPS, SOLVER_STEPS = 25, 15  # DDIM and DPM-Solver++ as docs/explanation/samplers.md recommends them; each step is one evaluation.
SHOWN_TO_INCEPTION = 16


def cpu_seconds(work: Callable[[], T]) -> tuple[float, T]:
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


class Parts:
    """Seconds of both ways, by part."""

    def __init__(self) -> None:
        self.theirs: dict[str, float] = {}
        self.ours: dict[str, float] = {}

    def add(self, name: str, theirs: float, ours: float, measured: str) -> None:
        self.theirs[name], self.ours[name] = theirs, ours
        print(f"{name:<12} {theirs:10,.1f} s theirs {ours:10,.1f} s ours   ({measured})", flush=True)

    def ratio(self, *, sampling: float = 1.0) -> float:
        return sum(self.theirs.values()) / (sum(self.ours.values()) - (1 - sampling) * self.ours["sampling"])


def explicit(layer: SelfAttention, x: Tensor) -> Tensor:
    """The same layer with its matrix of attention written out."""
    batch, width, height, breadth = x.shape
    qkv = layer.qkv(layer.norm(x).flatten(2).transpose(1, 2)).view(batch, height * breadth, 3, layer.heads, width // layer.heads)
    q, k, v = (part.flatten(0, 1) for part in qkv.permute(2, 0, 3, 1, 4))
    weights = torch.bmm(q, k.transpose(1, 2)).mul((width // layer.heads) ** -0.5).softmax(-1)
    attended = torch.bmm(weights, v).view(batch, layer.heads, height * breadth, -1).transpose(1, 2).flatten(2)
    out: Tensor = x + layer.out(attended).transpose(1, 2).reshape(x.shape)
    return out


@contextmanager
def explicit_attention(network: nn.Module) -> Iterator[None]:
    layers = [layer for layer in network.modules() if isinstance(layer, SelfAttention)]
    for layer in layers:
        layer.forward = lambda x, layer=layer: explicit(layer, x)  # type: ignore[method-assign]
    yield
    for layer in layers:
        del layer.forward


@torch.no_grad()
def draw(width: int, count: int, *, restated: bool) -> tuple[float, Tensor]:
    """Seconds and samples of the first of the steps, by either form of attention."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, diffusion = UNet(1, width, (1, 2, 4), (False, True, True)).eval(), linear_schedule(1000, beta_min=1e-4, beta_max=2e-2)
    noise = torch.randn(OUR_BATCH, 1, 32, 32)[:count]
    if not restated:
        network = network.to(memory_format=memory_format(noise.device, 32))  # type: ignore[call-overload]
    with explicit_attention(network) if restated else nullcontext():
        sample_ddim(network, diffusion, noise[:8], steps=2, generator=torch.Generator())
        return cpu_seconds(lambda: sample_ddim(network, diffusion, noise, steps=STEPS_MEASURED, generator=torch.Generator()))


def sampling(parts: Parts, width: int) -> Tensor:
    theirs, same = draw(width, THEIR_BATCH, restated=True)
    with tempfile.TemporaryDirectory() as folder:  # A process of its own, with the allocator as the trainer's child has it.
        command = [sys.executable, __file__, str(width), f"{folder}/samples.pt"]
        subprocess.run(command, check=True, env={**os.environ, **KEEP_FREED_MEMORY})
        ours, samples = torch.load(f"{folder}/samples.pt")
    torch.testing.assert_close(same, samples[:THEIR_BATCH], rtol=1e-3, atol=1e-3)
    per_step = SAMPLES * STEPS / STEPS_MEASURED
    words = f"{THEIR_BATCH} and {OUR_BATCH} images by {STEPS_MEASURED} of {STEPS} steps"
    parts.add("sampling", theirs / THEIR_BATCH * per_step, ours / OUR_BATCH * per_step, words)
    return ((samples + 1) / 2).clamp(0, 1)


def scaled(pixels: Tensor) -> Tensor:
    large = F.interpolate(255 * pixels.expand(-1, 3, -1, -1), size=(299, 299), mode="bilinear", antialias=True, align_corners=False)
    return (large - 128) / 128


def through_inception(parts: Parts, pixels: Tensor) -> None:
    """The published TorchScript, and the same weights as Tauscope asks them, on the same bytes."""
    try:
        file = find_weights(InceptionFeatures()).path
    except FeatureError as error:
        print(f"Inception is left out of both: {error.message}. {error.remedy}")
        return
    device = torch.device("cpu")
    published, images = open_torchscript(file, device), (255 * pixels).round().to(torch.uint8)
    ours = build_features(InceptionFeatures(), images, device)

    @torch.no_grad()
    def theirs(count: int) -> Tensor:
        found: Tensor = published(scaled(pixels[:count]))
        return found

    for warming in (4, 4):  # The first calls optimize the graph.
        theirs(warming)
        ours.features(images[:warming])
    seconds, found = cpu_seconds(lambda: theirs(SHOWN_TO_INCEPTION))
    once, again = cpu_seconds(lambda: ours.features(images[:SHOWN_TO_INCEPTION]))
    np.testing.assert_allclose(again, found, atol=1e-3)
    scale = SAMPLES / SHOWN_TO_INCEPTION
    parts.add("Inception", SETS * seconds * scale, once * scale, f"{SHOWN_TO_INCEPTION} images; theirs once for each of {SETS} sets")


def through_files(images: Tensor) -> Tensor:
    with tempfile.TemporaryDirectory() as folder:
        for index, image in enumerate(images):
            grey = (255 * image[0] + 0.5).to(torch.uint8).numpy()
            Image.fromarray(grey).convert("RGB").save(f"{folder}/{index}.png")  # The published tool writes three channels.
        read = [np.asarray(Image.open(f"{folder}/{index}.png"))[:, :, 0] for index in range(len(images))]
    return torch.from_numpy(np.stack(read)).float()[:, None] / 255


def features(parts: Parts, samples: Tensor) -> None:
    files, read = cpu_seconds(lambda: through_files(samples))
    per_set = files / len(samples) * SAMPLES
    parts.add("PNG files", SETS * per_set, 0.0, f"{len(samples)} images, once for each of {SETS} sets")
    through_inception(parts, read)


def distances(parts: Parts) -> None:
    generator = np.random.default_rng(0)
    spectrum = np.arange(1, FEATURES + 1) ** -0.5
    held_out, found = (generator.standard_normal((SAMPLES, FEATURES)) * spectrum for _ in range(2))
    reference = FrechetReference.of(held_out)
    covariance = np.cov(held_out, rowvar=False)

    def published() -> float:
        mean, own = found.mean(0), np.cov(found, rowvar=False)
        root = linalg.sqrtm(own @ covariance).real
        shift = mean - reference.mean
        return float(shift @ shift + np.trace(own) + np.trace(covariance) - 2 * np.trace(root))

    moments, (mean, own) = cpu_seconds(lambda: (found.mean(0), np.cov(found, rowvar=False)))
    ours, distance = cpu_seconds(lambda: frechet_distance(mean, own, reference.mean, reference.root))
    theirs, again = cpu_seconds(published)
    assert abs(distance - again) < 1e-6 * again
    parts.add("distances", SETS * theirs, moments + SETS * ours, f"one of {SETS} sets, {FEATURES:,} features of {SAMPLES:,} samples")


def copying(parts: Parts) -> None:
    train, samples = torch.rand(N_TRAIN, 1, 32, 32), torch.rand(OUR_BATCH * 4, 1, 32, 32)
    references = References(train.flatten(1))

    def broadcast() -> Tensor:
        distance = torch.norm(samples[:THEIR_BATCH].flatten(1)[:, None, :] - train.flatten(1), dim=2, p=2)
        return distance.topk(2, dim=1, largest=False).indices

    theirs, index = cpu_seconds(broadcast)
    ours, found = cpu_seconds(lambda: measure_memorization(samples, references))
    assert torch.equal(found.neighbours[:THEIR_BATCH], index)
    words = f"{THEIR_BATCH} and {len(samples):,} images among {N_TRAIN:,}; ours finds 50 neighbours, theirs 2"
    parts.add("neighbours", theirs * SAMPLES / THEIR_BATCH, ours * SAMPLES / len(samples), words)


def main() -> None:
    torch.set_num_threads(1)
    width = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    allocator = os.environ.get("LD_PRELOAD") or "glibc's malloc, keeping freed memory where we sample"
    machine = f"PyTorch {torch.__version__} on 1 thread, {torch.backends.cpu.get_cpu_capability()}, {allocator}"
    print(f"W = {width}, CPU seconds for {SAMPLES:,} samples; {machine}")
    parts = Parts()
    features(parts, sampling(parts, width))
    distances(parts)
    copying(parts)
    print(f"their way takes {parts.ratio():.2f} times as long with the same {STEPS} steps")
    print(f"their {STEPS} steps take {parts.ratio(sampling=FEW_STEPS / STEPS):.2f} times as long as our {FEW_STEPS}")
    print(f"their {STEPS} steps take {parts.ratio(sampling=SOLVER_STEPS / STEPS):.2f} times as long as {SOLVER_STEPS} of DPM-Solver++")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        torch.save(draw(int(sys.argv[1]), OUR_BATCH, restated=False), sys.argv[2])
    else:
        main()
