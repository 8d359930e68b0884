"""A trained denoiser: what images, mixtures, points on a line and time series have in common."""

import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.compute import ComputeSpec
from tauscope.specs.dataset import TrainingSetSpec
from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.fork import ForkSpec
from tauscope.specs.interventions import LowPassSpec
from tauscope.specs.measurement import MeasurementSpec, OnsetsSpec
from tauscope.specs.network import NetworkSpec
from tauscope.specs.optimizer import AdamSpec, Ema, EmaSpec, Optimizer
from tauscope.specs.process import LinearSpec, Process
from tauscope.specs.schedule import MAX_STEPS
from tauscope.specs.shown import DATA, MEASUREMENT, SWEEP, TRAINING, shown
from tauscope.specs.stopping import BudgetPolicy, Stopping, WindowPolicy


class DenoiserSpec(ExperimentSpec):
    """One network that learns to denoise n training points; a kind gives ``dataset``, ``network`` and ``measurement`` their types."""

    kind: str
    dataset: TrainingSetSpec
    network: NetworkSpec
    preconditioning: bool = shown(
        True, "Preconditioning", "scale input and output by the data's standard deviation at each noise level", group=DATA, advanced=True
    )
    parameterization: Literal["eps", "x0", "v"] = shown(
        "eps",
        "Predicts",
        "what the network learns: noise, image, or v = sqrt(alpha_bar) eps - sqrt(1 - alpha_bar) x_0; all losses are told for eps",
        group=DATA,
        advanced=True,
    )
    process: Process = shown(LinearSpec(), "Forward process", "how an image becomes noise", group=TRAINING, advanced=True)
    only_index: int | None = shown(
        None, "Only at index", "train at this diffusion index alone; no samples can be drawn then", ge=0, group=TRAINING, advanced=True
    )
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
    ema: Ema | None = shown(EmaSpec(), "Average of weights", "measured instead of the last weights", group=TRAINING, advanced=True)
    fork: ForkSpec | None = shown(None, "Begin from a checkpoint", "of another run; by default from scratch", group=TRAINING, advanced=True)
    seed: int = shown(0, "Seeds", "weights, batches, noise and samples derive from it", ge=0, lt=2**31, group=SWEEP)
    measurement: MeasurementSpec
    onsets: OnsetsSpec = shown(OnsetsSpec(), "Onsets", group=MEASUREMENT)
    retention: Literal["all", "pruned"] = shown(
        "all", "Checkpoints kept", "all, or once a run is over only those worth their space", group=MEASUREMENT, advanced=True
    )
    compute: ComputeSpec = shown(ComputeSpec(), "Computed", "how a training step is computed", group=TRAINING, advanced=True)
    device: str = shown("auto", "Device", "auto, cpu, cuda, cuda:i or mps", group=TRAINING, advanced=True)

    COMPONENT: ClassVar[str] = "dimension"  # What a point has many of; losses are per one.
    ALIASES: ClassVar[dict[str, str]] = {
        "n_train": "dataset.n_train",
        "width": "network.base_width",
        "lr": "optimizer.lr",
        "precision": "compute.precision",
        "micro_batch": "compute.micro_batch",
        "devices": "compute.devices",
        "n_generated": "measurement.n_generated",
    }
    PACE: ClassVar[tuple[str, ...]] = ("network", "compute")
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (
        *("dataset.n_train", "dataset.n_held_out", "seed", "steps", "device", "onsets.tau_gen", "stopping", "retention"),
        *("compute.micro_batch", "compute.memory_format", "compute.compile", "compute.devices"),
        *("measurement.schedule", "measurement.loss_schedule", "measurement.n_generated", "measurement.loss_pairs"),
        "measurement.loss_indices",
    )
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.name", "process", "onsets.tau_mem")

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", device):
            raise ValueError(f"{device!r} is not a device | Use auto, cpu, cuda, cuda:0 or mps")
        return device

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        self._check_batch()
        self._check_training()
        self._check_indices()
        self._check_own()
        self._check_onsets()
        self._check_fork()
        self._check_guidance()
        self._check_projection()
        self._check_low_pass()
        return self

    def _check_own(self) -> None:
        """What a kind checks beyond that; it raises ``ValueError`` with the field, what is wrong, and the remedy after a bar."""

    def _check_batch(self) -> None:
        if not self.replacement and isinstance(self.batch_size, int) and self.batch_size > self.n_train:
            raise ValueError(
                f"batch_size {self.batch_size} exceeds n_train {self.n_train} without replacement"
                ' | Use "full", a smaller batch, or replacement: true'
            )

    def _check_training(self) -> None:
        if self.preconditioning and self.parameterization != "eps":
            raise ValueError(
                f"parameterization {self.parameterization} and preconditioning both say what the network predicts"
                " | Set preconditioning: false; with it the network predicts what a Gaussian does not explain, v for data of variance 1"
            )
        if self.compute.devices > self.batch:
            raise ValueError(f"compute.devices {self.compute.devices} have no image each in a batch of {self.batch} | Use fewer devices")
        if self.compute.devices > 1 and self.device not in ("auto", "cpu", "cuda"):
            raise ValueError(f"device {self.device} is one, and compute.devices are {self.compute.devices} | Set device to cuda or cpu")
        cosine_steps = self.optimizer.cosine_steps
        if cosine_steps is not None and cosine_steps < self.steps:
            raise ValueError(
                f"optimizer.cosine_steps {cosine_steps} ends before the {self.steps} steps; nothing is learned at a rate of 0"
                " | Give it at least as many as steps"
            )
        if self.only_index is not None and not isinstance(self.stopping, BudgetPolicy):
            raise ValueError("stopping.name needs samples, which a network trained at one index cannot draw | Set stopping to budget")

    @property
    def trained_indices(self) -> range:
        """The 0-based indices into beta that the network is trained at."""
        if self.only_index is not None:
            return range(self.only_index, self.only_index + 1)
        return range(self.process.first_trained_index, self.process.steps)

    @property
    def _choose_trained(self) -> str:
        first, last = self.trained_indices[0], self.trained_indices[-1]
        return f"Choose from {first} to {last}" if last > first else f"Only {first} is"

    def _check_indices(self) -> None:
        sampler = self.measurement.sampler
        if self.only_index is not None and self.only_index >= self.process.steps:
            raise ValueError(f"only_index {self.only_index} is beyond the {self.process.steps} diffusion steps | Choose a lower one")
        trained = self.process.steps - self.process.first_trained_index
        if sampler.evaluations(trained) > trained:
            raise ValueError(f"measurement.sampler.steps exceeds the {trained} trained diffusion indices | Use fewer steps")
        outside = [i for i in self.measurement.loss_indices if i not in self.trained_indices]
        if outside:
            raise ValueError(f"measurement.loss_indices {outside} are never trained | {self._choose_trained}")
        measured = self.measurement.loss_indices
        if isinstance(self.stopping, WindowPolicy) and self.stopping.gap_index not in (None, *measured):
            raise ValueError(f"stopping.gap_index {self.stopping.gap_index} is not measured | Choose from {', '.join(map(str, measured))}")

    def _check_onsets(self) -> None:
        quality, copying = self.quality_metrics, self.memorization_metrics
        if self.onsets.tau_gen.metric not in quality:
            raise ValueError(f"onsets.tau_gen.metric is not measured | Choose from {', '.join(quality)}")
        if self.onsets.tau_mem.metric not in copying or not 0 < self.onsets.tau_mem.level < 1:
            raise ValueError(f"onsets.tau_mem needs metric {' or '.join(copying)} and a level between 0 and 1 | For example 0.25")

    def _check_fork(self) -> None:
        if self.fork is not None and self.fork.step >= self.steps:
            raise ValueError(f"steps {self.steps} are done by the checkpoint of step {self.fork.step} | Give more steps than that")
        if self.fork is not None and (self.fork.run is None) == (self.fork.path is None):
            raise ValueError("fork needs either run or path | Name the run in the service, or the checkpoint's .json file")

    def _check_guidance(self) -> None:
        if self.measurement.sampler.guidance and not self.network.told_labels:
            raise ValueError("measurement.sampler.guidance needs labels to guide by | Set network.classes to labels, or guidance to 0")

    def _check_projection(self) -> None:
        projection, n_held_out = self.measurement.sampler.projection, self.dataset.n_held_out
        if projection is None:
            return
        field = "measurement.sampler.projection"
        if self.network.told_labels:
            raise ValueError(
                f"{field}: a network that is told labels has one training score a label | Leave the labels or the projection out"
            )
        if projection.step is not None and projection.step >= self.steps:
            raise ValueError(f"{field}.reference {projection.step} is no earlier step of a run of {self.steps} | Choose an earlier one")
        if projection.reference == "population" and not self.population_known:
            raise ValueError(f"{field}.reference population is not known for kind {self.kind} | Use held_out")
        if projection.reference == "held_out" and n_held_out < self.n_train:
            raise ValueError(
                f"{field} needs as many held-out points as training points; dataset.n_held_out is {n_held_out} | Hold out more"
            )

    def _check_low_pass(self) -> None:
        self._check_cutoff("measurement.sampler.low_pass", self.measurement.sampler.low_pass)

    def _check_cutoff(self, field: str, low_pass: LowPassSpec | None) -> None:
        if low_pass is None:
            return
        if self.images is None:
            raise ValueError(f"{field} filters images, and kind {self.kind} learns none | Leave it out")
        highest = self.images.size / 2**0.5  # In the corner of the spectrum.
        if low_pass.cutoff - low_pass.edge / 2 >= highest:
            raise ValueError(f"{field}.cutoff {low_pass.cutoff:g} keeps all of an image, up to {highest:.3g} cycles | Give a lower cutoff")

    @property
    def population_known(self) -> bool:
        """Whether the law of the data is known, and with it the exact score of its population."""
        return False

    @property
    def n_train(self) -> int:
        return self.dataset.n_train

    @property
    def width(self) -> int:
        return self.network.base_width

    @property
    def n_generated(self) -> int:
        return self.measurement.n_generated

    @property
    def sample_steps(self) -> frozenset[int]:
        return frozenset(self.measurement.schedule.steps(self.steps)) if self.only_index is None else frozenset()

    @property
    def loss_steps(self) -> frozenset[int]:
        further = self.measurement.loss_schedule
        return super().loss_steps | (frozenset(further.steps(self.steps)) if further else frozenset())

    @property
    def loss_indices(self) -> tuple[int, ...]:
        return self.measurement.loss_indices

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        return tuple(f"loss_held_out@{index}" for index in self.loss_indices)

    @property
    def begins_from(self) -> ForkSpec | None:
        return self.fork

    @property
    def refers_to(self) -> tuple[int, ...]:
        projection = self.measurement.sampler.projection
        return () if projection is None or projection.step is None else (projection.step,)

    @property
    def devices(self) -> int:
        return self.compute.devices

    @property
    def batch(self) -> int:
        """Images per step, with "full" resolved."""
        return self.n_train if self.batch_size == "full" else int(self.batch_size)

    @property
    def held_out_loss(self) -> str:
        """The held-out loss that defines tau_gen or, where another metric does, the one at the first loss index."""
        quality = self.onsets.tau_gen.metric
        return quality if quality.startswith("loss_held_out@") else f"loss_held_out@{self.measurement.loss_indices[0]}"

    def with_n(self, n_train: int) -> Self:
        return self.model_copy(update={"dataset": self.dataset.model_copy(update={"n_train": n_train})})

    def cost(self) -> float:
        """Expected work in network evaluations of one image; a training step counts three. For ordering runs only."""
        measurement = self.measurement
        nfe = measurement.sampler.evaluations(self.process.steps) * (2 if measurement.sampler.guidance else 1)
        checkpoints = measurement.schedule.most(self.steps) if self.only_index is None else 0
        averages = len(self.ema.lengths) if self.ema else 1
        return 3.0 * self.steps * self.batch + float(checkpoints * averages * measurement.n_generated * nfe)
