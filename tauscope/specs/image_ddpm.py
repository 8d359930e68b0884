"""The experiment kind ``image_ddpm``: a U-Net denoiser trained on images, sampled and measured along training."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.schedule import MAX_STEPS, LogSpaced, Schedule

GAP_THRESHOLD = 1 / 3


class DatasetSpec(SpecModel):
    """Which images are trained on, and which are held out as reference."""

    name: str = Field("digits", description="a registered data set")
    path: str | None = Field(None, description="folder of the data set, where it is not embedded")
    n_train: int = Field(64, ge=2, le=10**9, description="training-set size n")
    subset: int = Field(0, ge=0, le=10**9, description="which disjoint slice of n_train images is trained on")
    size: int = Field(8, ge=4, le=4096, description="height and width in pixels")
    n_held_out: int = Field(1000, ge=32, le=10**9, description="held-out images: reference and control, never trained on")


class UNetSpec(SpecModel):
    """The paper's U-Net; 2 blocks a level and attention at the two lower levels give its published parameter count."""

    name: Literal["unet"] = "unet"
    base_width: int = Field(32, ge=8, le=4096, description="channels W of the first level, a multiple of 8")
    multipliers: tuple[Annotated[int, Field(ge=1, le=64)], ...] = Field(
        (1, 2, 4), min_length=1, max_length=8, description="width of each level over W"
    )
    blocks: int = Field(2, ge=1, le=64, description="residual blocks per encoder level")
    attention: tuple[bool, ...] = Field((False, True, True), description="self-attention at each level")
    heads: int = Field(4, ge=1, le=256, description="attention heads")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout before each block's second convolution")

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
        return self


class ProcessSpec(SpecModel):
    """The forward process: beta rises linearly over the steps (Ho et al. 2020, arXiv:2006.11239)."""

    name: Literal["linear"] = "linear"
    steps: int = Field(1000, ge=2, le=100_000, description="diffusion steps")
    beta_min: float = Field(1e-4, gt=0, lt=1, description="beta at index 0")
    beta_max: float = Field(2e-2, gt=0, lt=1, description="beta at the last index")
    first_trained_index: int = Field(1, ge=0, description="lowest trained diffusion index; sampling never goes below it")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.beta_max < self.beta_min:
            raise ValueError("beta_max is below beta_min | Exchange the two")
        if self.first_trained_index >= self.steps:
            raise ValueError(f"first_trained_index must be below steps = {self.steps} | Use 0 or 1")
        return self


class AdamSpec(SpecModel):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980)."""

    name: Literal["adam"] = "adam"
    lr: float = Field(1e-4, gt=0, description="learning rate")
    betas: tuple[float, float] = Field((0.9, 0.999), description="decay of the two moments")


class SgdSpec(SpecModel):
    """Stochastic gradient descent with heavy-ball momentum."""

    name: Literal["sgd"] = "sgd"
    lr: float = Field(1e-2, gt=0, description="learning rate")
    momentum: float = Field(0.95, ge=0, lt=1, description="momentum")


Optimizer = Annotated[AdamSpec | SgdSpec, Field(discriminator="name")]


class EmaSpec(SpecModel):
    """Exponential moving average of the weights, used for every measurement; decay_k = min(decay, (1+k)/(10+k))."""

    decay: float = Field(0.98, gt=0, lt=1, description="decay per training step once warmed up")


class DdimSpec(SpecModel):
    """Song et al. 2021, arXiv:2010.02502."""

    name: Literal["ddim"] = "ddim"
    steps: int = Field(100, ge=2, description="network evaluations per sample; below 16 f_mem is underestimated")
    eta: float = Field(0.0, ge=0, le=1, description="share of ancestral noise; 0 is deterministic")


class AncestralSpec(SpecModel):
    """Ho et al. 2020, arXiv:2006.11239, algorithm 2: every diffusion index is visited."""

    name: Literal["ancestral"] = "ancestral"


Sampler = Annotated[DdimSpec | AncestralSpec, Field(discriminator="name")]


class MeasurementSpec(SpecModel):
    """What is measured along training, and when."""

    schedule: Schedule = Field(default_factory=LogSpaced, description="steps at which samples are drawn")
    loss_schedule: Schedule | None = Field(None, description="further steps at which only the losses are measured")
    n_generated: int = Field(1000, ge=32, le=10**7, description="samples per checkpoint; the same seeds at every checkpoint")
    sampler: Sampler = Field(default_factory=DdimSpec)
    loss_indices: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (10, 100), min_length=1, max_length=32, description="0-based indices into beta where both losses are measured"
    )
    loss_pairs: int = Field(512, ge=32, le=10**7, description="fixed (image, noise) pairs per set and index that a loss averages")
    frechet_components: int = Field(16, ge=1, le=100_000, description="principal components of the Frechet distance")


class OnsetLevel(SpecModel):
    """The level whose first sustained crossing is an onset."""

    metric: str = Field(description="the measured quantity")
    level: float = Field(description="absolute level, the same for the whole sweep")


class OnsetsSpec(SpecModel):
    """Definitions of tau_gen (metric falls to its level) and tau_mem (f_mem minus control rises to its level)."""

    tau_gen: OnsetLevel = OnsetLevel(metric="loss_held_out@100", level=0.55)
    tau_mem: OnsetLevel = OnsetLevel(metric="f_mem", level=0.25)


class ImageDdpmSpec(SpecModel):
    """One run: one network, one training set, one seed."""

    kind: Literal["image_ddpm"] = "image_ddpm"
    dataset: DatasetSpec = DatasetSpec()
    network: UNetSpec = UNetSpec()
    preconditioning: bool = Field(True, description="scale input and output by the data's standard deviation at each noise level")
    process: ProcessSpec = ProcessSpec()
    optimizer: Optimizer = AdamSpec()
    batch_size: Annotated[int, Field(ge=1, le=10**9)] | Literal["full"] = Field(64, description='images per step, or "full" for all n')
    replacement: bool = Field(True, description="draw batches with replacement; otherwise by epochs")
    steps: int = Field(1000, ge=1, le=MAX_STEPS, description="training steps, the budget tau_max")
    ema: EmaSpec | None = EmaSpec()
    seed: int = Field(0, ge=0, lt=2**31, description="weights, batches, noise and samples derive from it")
    measurement: MeasurementSpec = MeasurementSpec()
    onsets: OnsetsSpec = OnsetsSpec()
    device: str = Field("auto", description="auto, cpu, cuda, cuda:i or mps")

    # Short names that stand for a path in axes, settings and tables.
    ALIASES: ClassVar[dict[str, str]] = {
        "n_train": "dataset.n_train",
        "subset": "dataset.subset",
        "width": "network.base_width",
        "lr": "optimizer.lr",
        "n_generated": "measurement.n_generated",
    }

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
            raise ValueError(f"{device!r} is not a device | Use auto, cpu, cuda, cuda:0 or mps")
        return device

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_batch()
        self._check_indices()
        self._check_onsets()
        self._check_resolution()
        return self

    def _check_batch(self) -> None:
        if not self.replacement and isinstance(self.batch_size, int) and self.batch_size > self.dataset.n_train:
            raise ValueError(
                f"batch_size {self.batch_size} exceeds n_train {self.dataset.n_train} without replacement"
                ' | Use "full", a smaller batch, or replacement: true'
            )

    def _check_indices(self) -> None:
        sampler = self.measurement.sampler
        trained = self.process.steps - self.process.first_trained_index
        if isinstance(sampler, DdimSpec) and sampler.steps > trained:
            raise ValueError(f"measurement.sampler.steps exceeds the {trained} trained diffusion indices | Use fewer steps")
        outside = [i for i in self.measurement.loss_indices if not self.process.first_trained_index <= i < self.process.steps]
        if outside:
            raise ValueError(
                f"measurement.loss_indices {outside} are never trained"
                f" | Choose from {self.process.first_trained_index} to {self.process.steps - 1}"
            )

    def _check_onsets(self) -> None:
        quality = quality_metrics(self)
        if self.onsets.tau_gen.metric not in quality:
            raise ValueError(f"onsets.tau_gen.metric is not measured | Choose from {', '.join(quality)}")
        if self.onsets.tau_mem.metric != "f_mem" or not 0 < self.onsets.tau_mem.level < 1:
            raise ValueError("onsets.tau_mem needs metric f_mem and a level between 0 and 1 | For example 0.25")

    def _check_resolution(self) -> None:
        halvings = len(self.network.multipliers) - 1
        if self.dataset.size % 2**halvings:
            raise ValueError(
                f"dataset.size {self.dataset.size} cannot be halved {halvings} times"
                f" | Use a multiple of {2**halvings} or fewer network.multipliers"
            )

    @property
    def batch(self) -> int:
        """Images per step, with "full" resolved."""
        return self.dataset.n_train if self.batch_size == "full" else int(self.batch_size)

    def cost(self) -> float:
        """Expected work in network evaluations of one image; a training step counts three. For ordering runs only."""
        measurement = self.measurement
        nfe = measurement.sampler.steps if isinstance(measurement.sampler, DdimSpec) else self.process.steps
        checkpoints = len(measurement.schedule.steps(self.steps))
        return 3.0 * self.steps * self.batch + float(checkpoints * measurement.n_generated * nfe)


def quality_metrics(spec: ImageDdpmSpec) -> tuple[str, ...]:
    """The measured quantities that can define tau_gen; each is better when lower."""
    return (*(f"loss_held_out@{i}" for i in spec.measurement.loss_indices), "frechet_pca")
