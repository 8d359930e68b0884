"""The networks that a run may train."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown

LABEL_DROP = 0.1


class NetworkSpec(SpecModel):
    """What every network of a denoiser says of itself."""

    if TYPE_CHECKING:  # Declared by each network: pydantic shows a field where it was first declared.
        name: str
        base_width: int

    @property
    def told_labels(self) -> bool:
        """Whether it is told the label of what it denoises."""
        return False

    @property
    def withheld(self) -> float:
        """The share of training points whose label is withheld."""
        return 0.0


class FourierFeaturesSpec(SpecModel):
    """Random Fourier features of the point, or of the value at each pixel, beside what they are of."""

    scale: float = shown(
        1.0,
        "Scale s",
        "standard deviation of the frequencies, in radians per unit of x; a greater one makes sharp functions easy",
        gt=0,
        le=1e3,
    )
    count: int = shown(32, "Frequencies", "each gives a cosine and a sine", ge=1, le=4096, unit="frequencies")


class UNetSpec(NetworkSpec):
    """The paper's U-Net; 2 blocks a level and attention at the two lower levels give its published parameter count."""

    name: Literal["unet"] = "unet"
    base_width: int = shown(32, "Base width W", "channels W of the first level, a multiple of 8", ge=8, le=4096, unit="channels")
    multipliers: tuple[Annotated[int, Field(ge=1, le=64)], ...] = shown(
        (1, 2, 4), "Width multipliers", "width of each level over W", min_length=1, max_length=8, advanced=True
    )
    blocks: int = shown(2, "Blocks a level", "residual blocks per encoder level", ge=1, le=64, advanced=True)
    attention: tuple[bool, ...] = shown((False, True, True), "Attention", "self-attention at each level", advanced=True)
    heads: int = shown(4, "Attention heads", "attention heads", ge=1, le=256, advanced=True)
    classes: Literal["labels"] | None = shown(
        None, "Classes", "whether the network is told the label of an image, where the data set has labels", advanced=True
    )
    label_drop: float = shown(
        LABEL_DROP,
        "Labels dropped",
        "share of training images whose label is withheld",
        gt=0,
        lt=1,
        advanced=True,
    )
    dropout: float = shown(0.0, "Dropout", "dropout before each block's second convolution", ge=0, lt=1, advanced=True)
    fourier: FourierFeaturesSpec | None = shown(
        None,
        "Fourier features",
        "random cosines and sines of each pixel's value, told to the first convolution beside it",
        advanced=True,
    )

    @field_validator("base_width")
    @classmethod
    def _groups_divide(cls, width: int) -> int:
        if width % 8:
            raise ValueError("must be a multiple of 8, the number of normalisation groups | Use 8, 16, 24 or 32, for instance")
        return width

    @model_validator(mode="after")
    def _levels_agree(self) -> Self:
        if len(self.attention) != len(self.multipliers):
            raise ValueError(
                f"attention has {len(self.attention)} entries for {len(self.multipliers)} levels"
                " | Give multipliers and attention the same length"
            )
        if self.classes is None and self.label_drop != LABEL_DROP:
            raise ValueError("label_drop is given where no label is | Set classes to labels, or leave label_drop out")
        return self

    @property
    def told_labels(self) -> bool:
        return self.classes is not None

    @property
    def withheld(self) -> float:
        return self.label_drop
