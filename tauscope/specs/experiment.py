"""What every experiment kind says of a run, so that analysis, service and pages ask no kind by its name."""

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.fork import ForkSpec
from tauscope.specs.measurement import Measurement, OnsetsSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.schedule import Adaptive
from tauscope.specs.stopping import Stopping


class ExperimentSpec(SpecModel, ABC):
    """One run. A kind declares the fields below where its form is to show them, and answers what is asked of every run."""

    if TYPE_CHECKING:  # Declared by each kind: pydantic shows a field where it was first declared.
        kind: str
        steps: int
        stopping: Stopping
        seed: int
        measurement: Measurement
        onsets: OnsetsSpec
        retention: Literal["all", "pruned"]
        device: str

    TRAINS: ClassVar[bool] = True  # Else there is no training time, no onset and no curve along it.
    POINTS: ClassVar[str] = "points"  # What it is trained on is called, on pages and in definitions.
    # Short names that stand for a path in axes, settings and tables.
    ALIASES: ClassVar[dict[str, str]] = {}
    # Runs that agree in these take about the same time for a unit of cost.
    PACE: ClassVar[tuple[str, ...]] = ()
    # What may change while a run goes on, since no weight depends on it: when it ends, and what is kept then.
    ENDING: ClassVar[tuple[str, ...]] = ("steps", "stopping", "retention")
    # Runs that agree in all but these are pilots of one another: they lie on one law over n.
    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = ("seed", "steps", "device", "stopping", "retention")
    # Runs that agree in these teach a forecast of one another.
    DOMAIN: ClassVar[tuple[str, ...]] = ("onsets.tau_mem",)
    # Fields that came after digests of specs were stored, with the value that every earlier run had: it leaves a digest as it was.
    LATER: ClassVar[dict[str, Any]] = {}

    @property
    @abstractmethod
    def n_train(self) -> int:
        """Training points n."""

    @property
    def width(self) -> int | None:
        """The W of a law, where the model has one."""
        return None

    @property
    def parameters(self) -> int | None:
        """Trained parameters p, where they can be counted without the data."""
        return None

    @property
    def batch(self) -> int | None:
        """Training points per step, with "full" resolved; ``None`` where there are no batches."""
        return None

    @property
    def n_generated(self) -> int:
        """Samples drawn at a checkpoint; 0 where none are."""
        return 0

    @property
    def sample_steps(self) -> frozenset[int]:
        """The steps at which samples are drawn."""
        return frozenset()

    @property
    def loss_steps(self) -> frozenset[int]:
        """The steps at which anything is measured; every step of the schedule is one of them, whether it is sampled or not."""
        return frozenset(self.measurement.schedule.saved(self.steps))

    @property
    def adaptive_schedule(self) -> Adaptive | None:
        """The schedule that has checkpoints sampled further once the run is trained; ``None`` under another, or without samples."""
        schedule = self.measurement.schedule
        return schedule if isinstance(schedule, Adaptive) and self.sample_steps else None

    @property
    def saved_steps(self) -> frozenset[int]:
        """The steps whose checkpoints are kept to be sampled, while training or later."""
        adaptive = self.adaptive_schedule
        return frozenset(adaptive.saved(self.steps)) if adaptive else self.sample_steps

    @property
    def loss_indices(self) -> tuple[int, ...]:
        """The 0-based diffusion indices at which both losses are measured; empty where a run has one diffusion time only."""
        return ()

    @property
    def gap_metrics(self) -> tuple[str, ...]:
        """The relative loss gaps that are measured; the one at the noisiest index, where a gap opens latest and is least noise, last."""
        return tuple(f"loss_gap@{index}" for index in sorted(self.loss_indices)) or ("loss_gap",)

    @property
    def held_out_loss(self) -> str:
        """The held-out loss whose least value is tau_test."""
        return "loss_held_out"

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        """The measured quantities that can define tau_gen; each is better when lower."""
        return (self.held_out_loss,)

    @property
    def memorization_metrics(self) -> tuple[str, ...]:
        """The measured quantities that can define tau_mem; each rises as training points are copied."""
        return ("f_mem",)

    @property
    def comparison_index(self) -> int | None:
        """The 0-based diffusion index at which a run and its twin are compared; ``None`` where a run of this kind has no twin."""
        return None

    @property
    def begins_from(self) -> ForkSpec | None:
        """The checkpoint of another run that this one goes on from."""
        return None

    @property
    def refers_to(self) -> tuple[int, ...]:
        """The steps of its own checkpoints that a measurement of it needs beside the one that is measured."""
        return ()

    @property
    def devices(self) -> int:
        """How many devices share each batch."""
        return 1

    @property
    def images(self) -> DatasetSpec | None:
        """The images that it learns, where it learns images: they are looked up, checked, and shown on the pages."""
        return None

    @property
    def identity(self) -> str:
        """What makes two runs the same one: everything but when they end."""
        return json.dumps(self.model_dump(mode="json", exclude=set(self.ENDING)), sort_keys=True)

    @abstractmethod
    def with_n(self, n_train: int) -> Self:
        """The same run with as many training points."""

    @abstractmethod
    def cost(self) -> float:
        """Expected work, in units that runs of one ``PACE`` share."""

    def work(self) -> float:
        """Expected work, in units that all runs of the kind share as far as can be told. For ordering runs only."""
        return self.cost()
