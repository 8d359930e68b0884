"""The experiment kind ``image_ddpm``: a U-Net denoiser trained on images, sampled and measured along training."""

import json
import re
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.compute import ComputeSpec
from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.features import LOWER_IS_BETTER
from tauscope.specs.fork import ForkSpec
from tauscope.specs.measurement import MeasurementSpec, OnsetsSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.network import UNetSpec
from tauscope.specs.optimizer import AdamSpec, Ema, EmaSpec, Optimizer
from tauscope.specs.process import LinearSpec, Process
from tauscope.specs.schedule import MAX_STEPS
from tauscope.specs.shown import DATA, MEASUREMENT, SWEEP, TRAINING, shown
from tauscope.specs.stopping import BudgetPolicy, Stopping, WindowPolicy


class ImageDdpmSpec(SpecModel):
    """One run: one network, one training set, one seed."""

    kind: Literal["image_ddpm"] = "image_ddpm"
    dataset: DatasetSpec = shown(DatasetSpec(), "Data", group=DATA)
    network: UNetSpec = shown(UNetSpec(), "Network", group=DATA)
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
    measurement: MeasurementSpec = shown(MeasurementSpec(), "Measurement", group=MEASUREMENT)
    onsets: OnsetsSpec = shown(OnsetsSpec(), "Onsets", group=MEASUREMENT)
    retention: Literal["all", "pruned"] = shown(
        "all", "Checkpoints kept", "all, or once a run is over only those worth their space", group=MEASUREMENT, advanced=True
    )
    compute: ComputeSpec = shown(ComputeSpec(), "Computed", "how a training step is computed", group=TRAINING, advanced=True)
    device: str = shown("auto", "Device", "auto, cpu, cuda, cuda:i or mps", group=TRAINING, advanced=True)

    # Short names that stand for a path in axes, settings and tables.
    ALIASES: ClassVar[dict[str, str]] = {
        "n_train": "dataset.n_train",
        "subset": "dataset.subset",
        "width": "network.base_width",
        "lr": "optimizer.lr",
        "precision": "compute.precision",
        "micro_batch": "compute.micro_batch",
        "devices": "compute.devices",
        "n_generated": "measurement.n_generated",
    }
    # Runs that agree in these take about the same time for a unit of cost.
    PACE: ClassVar[tuple[str, ...]] = ("dataset.size", "network")
    # What may change while a run goes on, since no weight depends on it: when it ends, and what is kept then.
    ENDING: ClassVar[tuple[str, ...]] = ("steps", "stopping", "retention")
    # Runs that agree in all but these are pilots of one another: they lie on one law over n.
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (
        *("dataset.n_train", "dataset.subset", "dataset.path", "dataset.n_held_out", "seed", "steps", "device", "onsets.tau_gen"),
        *("dataset.n_calibration", "dataset.unreadable", "stopping", "retention"),
        *("measurement.probes", "measurement.spectrum", "measurement.loss_grid"),
        *("compute.micro_batch", "compute.memory_format", "compute.compile", "compute.devices"),
        *("measurement.schedule", "measurement.loss_schedule", "measurement.n_generated", "measurement.loss_pairs"),
        *("measurement.loss_indices", "measurement.frechet_components", "measurement.features"),
    )
    # Runs that agree in these teach a forecast of one another.
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.name", "dataset.size", "dataset.colour", "process", "onsets.tau_mem")
    # Fields that came after digests of specs were stored, with the value that every earlier run had: it leaves a digest as it was.
    LATER: ClassVar[dict[str, Any]] = {
        "dataset.colour": False,
        "dataset.duplicates": "keep",
        "dataset.registered": None,
        "parameterization": "eps",
        "only_index": None,
        "optimizer.warmup_steps": 0,
        "optimizer.cosine_steps": None,
        "optimizer.clip_norm": None,
        "ema.name": "constant",
        "ema.further": [],
        "compute.precision": "float32",
        "network.classes": None,
        "network.label_drop": 0.1,
        "measurement.sampler.guidance": 0.0,
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
        self._check_training()
        self._check_indices()
        self._check_probes()
        self._check_features()
        self._check_spectrum()
        self._check_onsets()
        self._check_resolution()
        self._check_fork()
        self._check_guidance()
        return self

    def _check_batch(self) -> None:
        if not self.replacement and isinstance(self.batch_size, int) and self.batch_size > self.dataset.n_train:
            raise ValueError(
                f"batch_size {self.batch_size} exceeds n_train {self.dataset.n_train} without replacement"
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

    def _check_probes(self) -> None:
        probes = self.measurement.probes
        if probes is None:
            return
        outside = [i for i in (probes.index, probes.small_index) if i not in self.trained_indices]
        if outside:
            raise ValueError(f"measurement.probes: the indices {outside} are never trained | {self._choose_trained}")
        needed = probes.images + min(self.dataset.n_train, probes.images)
        if self.dataset.n_held_out < needed:
            raise ValueError(
                f"dataset.n_held_out {self.dataset.n_held_out} is too few for measurement.probes: {probes.images} non-members,"
                f" and for alpha_ho others | Hold out at least {needed}"
            )

    def _check_features(self) -> None:
        for features in self.measurement.features:
            features.parts(self.dataset.n_held_out, self.measurement.n_generated)

    def _check_spectrum(self) -> None:
        spectrum = self.measurement.spectrum
        if self.measurement.loss_grid is not None and self.only_index is not None:
            raise ValueError("measurement.loss_grid covers all noise levels, and only_index trains at one | Leave one of them out")
        if spectrum is None:
            return
        if spectrum.index not in self.trained_indices:
            raise ValueError(f"measurement.spectrum.index {spectrum.index} is never trained | {self._choose_trained}")
        empty = spectrum.empty_band(self.dataset.size)
        if empty is not None:
            raise ValueError(
                f"measurement.spectrum.bands {spectrum.bands}: band {empty} holds no frequency of images of dataset.size"
                f" {self.dataset.size} | Use fewer bands"
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

    def _check_guidance(self) -> None:
        if self.measurement.sampler.guidance and self.network.classes is None:
            raise ValueError("measurement.sampler.guidance needs labels to guide by | Set network.classes to labels, or guidance to 0")

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
        return self.only_index if self.only_index is not None else max(3 * self.process.steps // 10, self.process.first_trained_index)

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
        nfe = measurement.sampler.evaluations(self.process.steps) * (2 if measurement.sampler.guidance else 1)
        checkpoints = len(measurement.schedule.steps(self.steps)) if self.only_index is None else 0
        averages = len(self.ema.lengths) if self.ema else 1
        return 3.0 * self.steps * self.batch + float(checkpoints * averages * measurement.n_generated * nfe)


def quality_metrics(spec: ImageDdpmSpec) -> tuple[str, ...]:
    """The measured quantities that can define tau_gen; each is better when lower."""
    losses = tuple(f"loss_held_out@{i}" for i in spec.measurement.loss_indices)
    if spec.only_index is not None:
        return losses
    of_features = (item.metric_name(metric) for item in spec.measurement.features for metric in item.metrics if metric in LOWER_IS_BETTER)
    return (*losses, "frechet_pca", *of_features)
