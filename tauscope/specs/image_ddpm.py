"""The experiment kind ``image_ddpm``: a U-Net denoiser trained on images, sampled and measured along training."""

import json
import re
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.fork import ForkSpec
from tauscope.specs.measurement import MeasurementSpec, OnsetsSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.network import UNetSpec
from tauscope.specs.optimizer import AdamSpec, EmaSpec, Optimizer
from tauscope.specs.process import ProcessSpec
from tauscope.specs.sampler import DdimSpec
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
        *("stopping", "retention", "measurement.probes", "measurement.spectrum", "measurement.loss_grid"),
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
        self._check_spectrum()
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

    def _check_spectrum(self) -> None:
        spectrum, first, last = self.measurement.spectrum, self.process.first_trained_index, self.process.steps - 1
        if spectrum is None:
            return
        if not first <= spectrum.index <= last:
            raise ValueError(f"measurement.spectrum.index {spectrum.index} is never trained | Choose from {first} to {last}")
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
