"""Which training images a run copies: one record an image, and what chance alone would give."""

from typing import Literal

from pydantic import Field

from tauscope.contracts.model import Contract

MAX_IMAGES = 1000
CAVEAT = "the rule itself favours images that stand alone: a copy of one is told from farther away"
"""What has to be said of ``CopiedImages.typicality``."""


class UnmeasuredStep(Contract):
    """A checkpoint of the run's schedule of which no copies are known, and why."""

    step: int
    state: Literal["waiting", "diverged", "not_sampled"]
    reason: str


class CopiedImage(Contract):
    """One training image; equal images are one, named by the first of them."""

    image: int = Field(description="index into the run's training set")
    equal_images: int = Field(description="how many training images are equal to it, itself included")
    copies: int = Field(description="samples of the asked checkpoint that copy it")
    share: float = Field(description="copies / n_generated, with its 95 % Clopper-Pearson interval")
    low: float
    high: float
    expected: float = Field(description="mean copies if this checkpoint's copies fell on all training images alike; their 95 % range")
    expected_low: int
    expected_high: int
    copies_by_step: tuple[int, ...] = Field(description="as `steps`")
    seeds: int = Field(description="distinct seeds that copy it at one measured checkpoint or more")
    first_copied_at: int | None = Field(description="the first measured checkpoint with a copy")
    not_copied_at: int | None = Field(
        description="the measured checkpoint before it; empty where the first one measured has a copy already"
    )
    nearest_image: int | None = Field(description="the nearest training image that differs from it")
    nearest_distance: float | None = Field(description="how far that is: Euclidean, pixels in [0, 1]; large is untypical")
    typicality_rank: int | None = Field(description="1 is the smallest nearest_distance of all distinct images, the most typical")
    held_out_nearest: int | None = Field(description="held-out images to which it is the nearest: no copying")
    held_out_copies: int | None = Field(description="those of them whose gap ratio is that of a copy: the control")


class UniformCopying(Contract):
    """What the copies of this checkpoint would give if every training image were as likely to be copied as any other."""

    expected: float = Field(description="mean copies of an image that is stored once")
    low: int = Field(description="95 % range of that count, binomial")
    high: int
    most: int = Field(description="the most copied image of all stays at or below this with at least 95 % probability")


class CopiesAndTypicality(Contract):
    """Spearman's rank correlation, over distinct training images, of copies with the distance to the nearest other image.

    Positive: untypical images are copied more. Part of that is the rule: d1 < d2/3 holds within about a quarter of that distance, so
    that around an image that stands alone it holds farther out.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    count: int = Field(description="distinct training images")
    reason: str = Field("", description="why there is no value")


class CopiedImages(Contract):
    """A page of the training images of a run, the most copied at a checkpoint first; every training image has its record."""

    run_id: str
    point: str = Field("image", description="what one of the training set is called: image, or window of a series")
    step: int
    steps: tuple[int, ...] = Field(description="every measured checkpoint")
    unmeasured: tuple[UnmeasuredStep, ...]
    n_generated: int
    n_copies: int = Field(description="samples of this checkpoint that are copies")
    n_train: int
    n_distinct: int = Field(description="training images that differ")
    n_copied: int = Field(description="distinct training images that are copied at this checkpoint")
    n_copied_ever: int = Field(description="at any measured checkpoint")
    n_held_out: int | None = Field(description="held-out images that were compared; empty where none were")
    n_held_out_copies: int | None = Field(description="those that the same rule calls copies: the control")
    held_out_low: float | None = Field(description="95 % Clopper-Pearson interval of their share")
    held_out_high: float | None
    uniform: UniformCopying
    typicality: CopiesAndTypicality
    typicality_by_distance: CopiesAndTypicality = Field(
        description="the same of as many samples as are copies, but those of smallest d1: a rule blind to how alone an image stands"
    )
    typicality_missing: str = Field("", description="why nearest_distance and the control are empty")
    offset: int
    total: int
    items: tuple[CopiedImage, ...]
