"""Samples over training time: what each checkpoint has, and one seed at every checkpoint."""

from typing import Literal

from pydantic import Field

from tauscope.contracts.model import Contract

SamplesState = Literal["measured", "waiting", "diverged"]


def version_of(sha256: str) -> str:
    """The short name of a content in addresses: with it, what an address shows never changes."""
    return sha256[:12]


class SampleStep(Contract):
    """Where the samples of one checkpoint stand."""

    step: int
    state: SamplesState = Field(description="waiting: still to be drawn or measured; diverged: the sampler gave no finite sample")
    reason: str = Field("", description="why there is no measurement")
    n_generated: int | None = None
    f_mem: float | None = None
    f_mem_low: float | None = None
    f_mem_high: float | None = None
    f_mem_control: float | None = None
    f_mem_control_low: float | None = None
    f_mem_control_high: float | None = None
    control_count: int | None = None
    version: str = Field("", description="changes with the samples; put it into their addresses as v")


class SampleSteps(Contract):
    """Every checkpoint of a run that has samples or waits for them, in order."""

    run_id: str
    steps: tuple[SampleStep, ...]


class SeedView(Contract):
    """The sample of one seed at every measured checkpoint, beside its nearest training image."""

    run_id: str
    seed: int
    step: tuple[int, ...]
    gap_ratio: tuple[float, ...]
    nearest: tuple[int, ...] = Field(description="indices into the run's training set")
    is_copy: tuple[bool, ...]
    first_copied_at: int | None = Field(description="the first checkpoint at which it is a copy")
    version: str = Field(description="changes with the samples; put it into the film's address as v")


class SamplesView(Contract):
    """The generated samples of one checkpoint with their two nearest distinct training images."""

    run_id: str
    step: int
    steps: tuple[int, ...] = Field(description="every step that has samples")
    n_generated: int
    n_copies: int
    f_mem: float
    f_mem_low: float
    f_mem_high: float
    f_mem_control: float
    f_mem_control_low: float
    f_mem_control_high: float
    control_count: int
    gap_threshold: float
    gap_ratio: tuple[float, ...]
    is_copy: tuple[bool, ...]
    neighbours: tuple[tuple[int, int], ...] = Field(description="indices into the run's training set")
    distances: tuple[tuple[float, float], ...] = Field(description="Euclidean, pixels in [0, 1]; of windows, standard units")
    labels: tuple[int, ...] | None = Field(None, description="the label each sample was asked for, where the network is told labels")
    neighbour_labels: tuple[tuple[int, int], ...] | None = Field(
        None, description="the labels of both training images, where the data set has labels and the run has kept them"
    )
    image_shape: tuple[int, int, int] = Field((1, 8, 8), description="channels, height, width; of windows, those of their pictures")
    window_channels: tuple[str, ...] | None = Field(
        None, description="of windows of a series, the channels of a picture's strips from the top, as far as the spec names them"
    )
    version: str = Field("", description="changes with the samples; put it into their addresses as v")
