"""The experiment kind ``image_ddpm``: a U-Net denoiser trained on images, sampled and measured along training."""

import json
import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.fork import ForkSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.schedule import MAX_STEPS, LogSpaced, Schedule
from tauscope.specs.shown import shown
from tauscope.specs.stopping import BudgetPolicy, Stopping, WindowPolicy

GAP_THRESHOLD = 1 / 3

# The headings of a form, in their order.
SWEEP, DATA, TRAINING, MEASUREMENT = "Sweep", "Data and network", "Training", "Measurement"


class DatasetSpec(SpecModel):
    """Which images are trained on, and which are held out as reference."""

    name: str = shown("digits", "Data set", "a registered data set", choices="datasets")
    path: str | None = shown(None, "Folder", "folder of the data set, where it is not embedded", advanced=True)
    n_train: int = shown(64, "Training images n", "training-set size n", ge=2, le=10**9, unit="images", group=SWEEP)
    subset: int = shown(0, "Subset", "which disjoint slice of n_train images is trained on", ge=0, le=10**9, advanced=True)
    size: int = shown(8, "Image size", "height and width in pixels", ge=4, le=4096, unit="pixels")
    n_held_out: int = shown(1000, "Held out", "held-out images: reference and control, never trained on", ge=32, le=10**9, unit="images")


class UNetSpec(SpecModel):
    """The paper's U-Net; 2 blocks a level and attention at the two lower levels give its published parameter count."""

    name: Literal["unet"] = "unet"
    base_width: int = shown(32, "Base width W", "channels W of the first level, a multiple of 8", ge=8, le=4096, unit="channels")
    multipliers: tuple[Annotated[int, Field(ge=1, le=64)], ...] = shown(
        (1, 2, 4), "Width multipliers", "width of each level over W", min_length=1, max_length=8, advanced=True
    )
    blocks: int = shown(2, "Blocks a level", "residual blocks per encoder level", ge=1, le=64, advanced=True)
    attention: tuple[bool, ...] = shown((False, True, True), "Attention", "self-attention at each level", advanced=True)
    heads: int = shown(4, "Attention heads", "attention heads", ge=1, le=256, advanced=True)
    dropout: float = shown(0.0, "Dropout", "dropout before each block's second convolution", ge=0, lt=1, advanced=True)

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
    steps: int = shown(1000, "Diffusion steps", "diffusion steps", ge=2, le=100_000)
    beta_min: float = shown(1e-4, "beta, first", "beta at index 0", gt=0, lt=1)
    beta_max: float = shown(2e-2, "beta, last", "beta at the last index", gt=0, lt=1)
    first_trained_index: int = shown(1, "First trained index", "lowest trained diffusion index; sampling never goes below it", ge=0)

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
    lr: float = shown(1e-4, "Learning rate", "learning rate", gt=0)
    betas: tuple[float, float] = shown((0.9, 0.999), "Moment decay", "decay of the two moments", advanced=True)


class SgdSpec(SpecModel):
    """Stochastic gradient descent with heavy-ball momentum."""

    name: Literal["sgd"] = "sgd"
    lr: float = shown(1e-2, "Learning rate", "learning rate", gt=0)
    momentum: float = shown(0.95, "Momentum", "momentum", ge=0, lt=1)


Optimizer = Annotated[AdamSpec | SgdSpec, Field(discriminator="name")]


class EmaSpec(SpecModel):
    """Exponential moving average of the weights, used for every measurement; decay_k = min(decay, (1+k)/(10+k))."""

    decay: float = shown(0.98, "Decay", "decay per training step once warmed up", gt=0, lt=1)


class DdimSpec(SpecModel):
    """Song et al. 2021, arXiv:2010.02502."""

    name: Literal["ddim"] = "ddim"
    steps: int = shown(100, "Sampling steps", "network evaluations per sample; below 16 f_mem is underestimated", ge=2, unit="evaluations")
    eta: float = shown(0.0, "ddim_eta", "share of ancestral noise; 0 is deterministic", ge=0, le=1, advanced=True)


class AncestralSpec(SpecModel):
    """Ho et al. 2020, arXiv:2006.11239, algorithm 2: every diffusion index is visited."""

    name: Literal["ancestral"] = "ancestral"


Sampler = Annotated[DdimSpec | AncestralSpec, Field(discriminator="name")]


class ProbesSpec(SpecModel):
    """Early warnings of copying that draw no samples, measured wherever the losses are."""

    index: int = shown(100, "Index", "0-based index into beta of the loss attack, PIA and alpha_ho", ge=0)
    small_index: int = shown(10, "Small index", "0-based index into beta of SimA, which adds no noise", ge=0)
    images: int = shown(
        128, "Images", "members and non-members at most; 1 % of fewer than 100 is no image", ge=100, le=100_000, unit="images each"
    )
    points: int = shown(64, "Points", "noised points of alpha_ho from each set", ge=16, le=100_000, unit="points each")


class MeasurementSpec(SpecModel):
    """What is measured along training, and when."""

    schedule: Schedule = shown(LogSpaced(), "Checkpoints", "steps at which samples are drawn")
    loss_schedule: Schedule | None = shown(None, "Further losses", "further steps at which only the losses are measured", advanced=True)
    n_generated: int = shown(
        1000, "Samples each", "samples per checkpoint; the same seeds at every checkpoint", ge=32, le=10**7, unit="samples"
    )
    sampler: Sampler = shown(DdimSpec(), "Sampler", "how samples are drawn")
    loss_indices: tuple[Annotated[int, Field(ge=0)], ...] = shown(
        (10, 100), "Loss indices", "0-based indices into beta where both losses are measured", min_length=1, max_length=32, advanced=True
    )
    loss_pairs: int = shown(
        512, "Loss pairs", "fixed (image, noise) pairs per set and index that a loss averages", ge=32, le=10**7, unit="pairs", advanced=True
    )
    frechet_components: int = shown(
        16, "Principal components", "principal components of the Frechet distance", ge=1, le=100_000, advanced=True
    )
    probes: ProbesSpec | None = shown(None, "Probes", "early warnings of copying beside the loss gap", advanced=True)


class OnsetLevel(SpecModel):
    """The level whose first sustained crossing is an onset."""

    metric: str = shown(..., "metric", "the measured quantity", advanced=True)
    level: float = shown(..., "level", "absolute level, the same for the whole sweep")


class OnsetsSpec(SpecModel):
    """Definitions of tau_gen (metric falls to its level) and tau_mem (f_mem minus control rises to its level)."""

    tau_gen: OnsetLevel = shown(OnsetLevel(metric="loss_held_out@100", level=0.55), "tau_gen")
    tau_mem: OnsetLevel = shown(OnsetLevel(metric="f_mem", level=0.25), "tau_mem")


class ImageDdpmSpec(SpecModel):
    """One run: one network, one training set, one seed."""

    kind: Literal["image_ddpm"] = "image_ddpm"
    dataset: DatasetSpec = shown(DatasetSpec(), "Data", group=DATA)
    network: UNetSpec = shown(UNetSpec(), "Network", group=DATA)
    preconditioning: bool = shown(
        True, "Preconditioning", "scale input and output by the data's standard deviation at each noise level", group=DATA, advanced=True
    )
    process: ProcessSpec = shown(ProcessSpec(), "Forward process", group=TRAINING, advanced=True)
    optimizer: Optimizer = shown(AdamSpec(), "Optimizer", "how the weights move", group=TRAINING)
    batch_size: Annotated[int, Field(ge=1, le=10**9)] | Literal["full"] = shown(
        64, "Batch", 'images per step, or "full" for all n', unit="images", group=TRAINING
    )
    replacement: bool = shown(True, "With replacement", "draw batches with replacement; otherwise by epochs", group=TRAINING, advanced=True)
    steps: int = shown(1000, "Training steps", "training steps, the budget tau_max", ge=1, le=MAX_STEPS, unit="steps", group=SWEEP)
    stopping: Stopping = shown(
        BudgetPolicy(),
        "Stopping",
        "budget: after all steps; copying: once copies are certain; window: once quality is flat and a warning of copying stands",
        group=TRAINING,
    )
    ema: EmaSpec | None = shown(EmaSpec(), "Average of weights", "measured instead of the last weights", group=TRAINING, advanced=True)
    fork: ForkSpec | None = shown(None, "Begin from a checkpoint", "of another run; by default from scratch", group=TRAINING, advanced=True)
    seed: int = shown(0, "Seeds", "weights, batches, noise and samples derive from it", ge=0, lt=2**31, group=SWEEP)
    measurement: MeasurementSpec = shown(MeasurementSpec(), "Measurement", group=MEASUREMENT)
    onsets: OnsetsSpec = shown(OnsetsSpec(), "Onsets", group=MEASUREMENT)
    retention: Literal["all", "pruned"] = shown(
        "all", "Checkpoints kept", "all, or once a run is over only those worth their space", group=MEASUREMENT, advanced=True
    )
    device: str = shown("auto", "Device", "auto, cpu, cuda, cuda:i or mps", group=TRAINING, advanced=True)

    # Short names that stand for a path in axes, settings and tables.
    ALIASES: ClassVar[dict[str, str]] = {
        "n_train": "dataset.n_train",
        "subset": "dataset.subset",
        "width": "network.base_width",
        "lr": "optimizer.lr",
        "n_generated": "measurement.n_generated",
    }
    # Runs that agree in these take about the same time for a unit of cost.
    PACE: ClassVar[tuple[str, ...]] = ("dataset.size", "network")
    # What may change while a run goes on, since no weight depends on it: when it ends, and what is kept then.
    ENDING: ClassVar[tuple[str, ...]] = ("steps", "stopping", "retention")
    # Runs that agree in all but these are pilots of one another: they lie on one law over n.
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (
        *("dataset.n_train", "dataset.subset", "dataset.path", "dataset.n_held_out", "seed", "steps", "device", "onsets.tau_gen"),
        *("stopping", "retention", "measurement.probes"),
        *("measurement.schedule", "measurement.loss_schedule", "measurement.n_generated", "measurement.loss_pairs"),
        *("measurement.loss_indices", "measurement.frechet_components"),
    )
    # Runs that agree in these teach a forecast of one another.
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.name", "dataset.size", "process", "onsets.tau_mem")

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
        self._check_probes()
        self._check_onsets()
        self._check_resolution()
        self._check_fork()
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
        measured = self.measurement.loss_indices
        if isinstance(self.stopping, WindowPolicy) and self.stopping.gap_index not in (None, *measured):
            raise ValueError(f"stopping.gap_index {self.stopping.gap_index} is not measured | Choose from {', '.join(map(str, measured))}")

    def _check_probes(self) -> None:
        probes = self.measurement.probes
        if probes is None:
            return
        outside = [i for i in (probes.index, probes.small_index) if not self.process.first_trained_index <= i < self.process.steps]
        if outside:
            raise ValueError(
                f"measurement.probes: the indices {outside} are never trained"
                f" | Choose from {self.process.first_trained_index} to {self.process.steps - 1}"
            )
        needed = probes.images + min(self.dataset.n_train, probes.images)
        if self.dataset.n_held_out < needed:
            raise ValueError(
                f"dataset.n_held_out {self.dataset.n_held_out} is too few for measurement.probes: {probes.images} non-members,"
                f" and for alpha_ho others | Hold out at least {needed}"
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

    def _check_fork(self) -> None:
        if self.fork is not None and self.fork.step >= self.steps:
            raise ValueError(f"steps {self.steps} are done by the checkpoint of step {self.fork.step} | Give more steps than that")
        if self.fork is not None and (self.fork.run is None) == (self.fork.path is None):
            raise ValueError("fork needs either run or path | Name the run in the service, or the checkpoint's .json file")

    @property
    def batch(self) -> int:
        """Images per step, with "full" resolved."""
        return self.dataset.n_train if self.batch_size == "full" else int(self.batch_size)

    @property
    def comparison_index(self) -> int:
        """The 0-based index into beta at which a run and its twin are compared.

        At three tenths of the steps (alpha_bar 0.39 on the usual schedule) the agreement has one peak; nearer to the image it has
        one more, while both learn what any images have in common (measured on digits, docs/decisions/0016).
        """
        return max(3 * self.process.steps // 10, self.process.first_trained_index)

    @property
    def held_out_loss(self) -> str:
        """The held-out loss that defines tau_gen or, where another metric does, the one at the first loss index."""
        quality = self.onsets.tau_gen.metric
        return quality if quality.startswith("loss_held_out@") else f"loss_held_out@{self.measurement.loss_indices[0]}"

    @property
    def identity(self) -> str:
        """What makes two runs the same one: everything but when they end."""
        return json.dumps(self.model_dump(mode="json", exclude=set(self.ENDING)), sort_keys=True)

    def cost(self) -> float:
        """Expected work in network evaluations of one image; a training step counts three. For ordering runs only."""
        measurement = self.measurement
        nfe = measurement.sampler.steps if isinstance(measurement.sampler, DdimSpec) else self.process.steps
        checkpoints = len(measurement.schedule.steps(self.steps))
        return 3.0 * self.steps * self.batch + float(checkpoints * measurement.n_generated * nfe)


def quality_metrics(spec: ImageDdpmSpec) -> tuple[str, ...]:
    """The measured quantities that can define tau_gen; each is better when lower."""
    return (*(f"loss_held_out@{i}" for i in spec.measurement.loss_indices), "frechet_pca")
