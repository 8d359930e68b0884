"""What counts as a copy between features: altered training images and real held-out ones, by the gap ratio of each space.

    python -m benchmarks.study_feature_copies

Digits (8 x 8) and the ORL faces (64 x 64): the first training images as they are, noised, shifted by a pixel in eight, mirrored and
darkened, and as many held-out images, which copy nothing. Prints the share with a gap ratio below 1/3 in Markdown, with its 95 % interval.
Under a minute of one core; the networks that are not installed are left out.
"""

import torch
from torch import Tensor

from tauscope.datasets import load_split
from tauscope.features import FeatureError
from tauscope.features.registry import build_features
from tauscope.metrics.memorization import measure_memorization
from tauscope.metrics.quality import Qualities, RealFeatures
from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.features import Features, MobileNetFeatures, PixelsPcaFeatures

COUNT = 100
SETS = {
    "digits, 256 trained on": DatasetSpec(n_train=256, n_held_out=400),
    "ORL faces, 200 trained on": DatasetSpec(name="orl_faces", n_train=200, n_held_out=200, size=64),
}
SPACES: tuple[Features, ...] = (PixelsPcaFeatures(components=32, metrics=("copies",)), MobileNetFeatures(metrics=("copies",)))


def main() -> None:
    torch.set_num_threads(1)
    for name, dataset in SETS.items():
        split = load_split(dataset)
        train, held_out = torch.from_numpy(split.train), torch.from_numpy(split.held_out)
        shown = _shown(train, held_out)
        print(f"\n| {name} | {' | '.join(shown)} |\n|{'---|' * (1 + len(shown))}")
        pixels = {what: measure_memorization(_float(images), _float(train)).share(1 / 3) for what, images in shown.items()}
        print(_row("pixels", pixels), flush=True)
        for spec in SPACES:
            try:
                print(_row(spec.key, _between_features(spec, shown, train, held_out)), flush=True)
            except FeatureError as error:
                print(f"{spec.key}: {error.message}. {error.remedy}")


def _shown(train: Tensor, held_out: Tensor) -> dict[str, Tensor]:
    """Sets of images by what they are; a shift repeats the edge."""
    copied, size = train[:COUNT].float(), train.shape[-1]
    noise = torch.randn(copied.shape, generator=torch.Generator().manual_seed(0))
    shifted = torch.cat([copied[..., : size // 8], copied[..., : -(size // 8)]], 3)
    altered = {
        "copies": copied,
        "noise 5": copied + 5 * noise,
        "noise 25": copied + 25 * noise,
        "shifted": shifted,
        "mirrored": copied.flip(3),
        "darkened by a fifth": 0.8 * copied,
        "held-out": held_out[:COUNT].float(),
    }
    return {what: images.round().clamp(0, 255).to(torch.uint8) for what, images in altered.items()}


def _between_features(spec: Features, shown: dict[str, Tensor], train: Tensor, held_out: Tensor) -> dict[str, tuple[float, float, float]]:
    # Neither the components nor the control may rest on the images that are shown as held out.
    network = build_features(spec, held_out[COUNT:], torch.device("cpu"))
    real = network.features(train)
    qualities = Qualities(RealFeatures((), real, real, real), spec.metrics)
    found = {what: qualities.of(network.features(images))["copies"] for what, images in shown.items()}
    return {what: share for what, share in found.items() if not isinstance(share, str)}


def _float(images: Tensor) -> Tensor:
    return images.float() / 255


def _row(space: str, shares: dict[str, tuple[float, float, float]]) -> str:
    cells = (f"{100 * value:.0f} % ({100 * low:.0f} to {100 * high:.0f})" for value, low, high in shares.values())
    return f"| `{space}` | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
