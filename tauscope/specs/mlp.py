"""The perceptron that a run on points of few dimensions may train."""

from typing import Literal

from tauscope.specs.network import LABEL_DROP, FourierFeaturesSpec, NetworkSpec
from tauscope.specs.shown import shown

TIME_FEATURES = 16


class MlpSpec(NetworkSpec):
    """A residual perceptron: h <- h + tanh(W h + b)."""

    name: Literal["mlp"] = "mlp"
    base_width: int = shown(64, "Width W", "units of each layer", ge=1, le=16384, unit="units")
    blocks: int = shown(3, "Blocks", "residual layers", ge=0, le=64)
    dropout: float = shown(0.0, "Dropout", "before each block", ge=0, lt=1, advanced=True)
    fourier: FourierFeaturesSpec | None = shown(
        None, "Fourier features", "random cosines and sines of the point, told to the first layer beside it", advanced=True
    )

    def parameters(self, dim: int, labels: int = 0) -> int:
        """Trained numbers, where it is told so many labels; one more is the label withheld."""
        width, told = self.base_width, labels + 1 if labels else 0
        told += 2 * self.fourier.count if self.fourier else 0
        return (dim + TIME_FEATURES + told + 1) * width + self.blocks * (width + 1) * width + (width + 1) * dim


class ConditionalMlpSpec(MlpSpec):
    """The same, told the component that a point was drawn from."""

    label_drop: float = shown(LABEL_DROP, "Labels dropped", "share of training points whose label is withheld", gt=0, lt=1)

    @property
    def told_labels(self) -> bool:
        return True

    @property
    def withheld(self) -> float:
        return self.label_drop
