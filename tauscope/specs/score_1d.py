"""The experiment kind ``score_1d``: the score of points on a line, learnt at one diffusion time and drawn beside the exact ones."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from tauscope.specs.dataset import TrainingSetSpec
from tauscope.specs.denoiser import DenoiserSpec
from tauscope.specs.measurement import MeasurementSpec, OnsetLevel, OnsetsSpec
from tauscope.specs.network import NetworkSpec
from tauscope.specs.optimizer import AdamSpec, Ema, Optimizer
from tauscope.specs.process import AtTimeSpec
from tauscope.specs.schedule import MAX_STEPS
from tauscope.specs.shown import DATA, MEASUREMENT, SWEEP, TRAINING, shown
from tauscope.specs.stopping import BudgetPolicy


class LineMixtureSpec(TrainingSetSpec):
    """Points of a mixture of Gaussians on a line, drawn from each component in turn; of one seed, fewer points are the first of more."""

    name: Literal["line_mixture"] = "line_mixture"
    n_train: int = shown(16, "Training points n", "training-set size n", ge=2, le=100_000, unit="points", group=SWEEP)
    n_held_out: int = shown(1000, "Held out", "fresh points of the population, never trained on", ge=32, le=10**6, unit="points")
    means: tuple[Annotated[float, Field(ge=-100, le=100)], ...] = shown(
        (-1.0, 1.0), "Means", "centre of each component; all weigh the same", min_length=1, max_length=64
    )
    sigma: float = shown(0.5, "Sigma", "standard deviation of every component", gt=0, le=100)


class PerceptronSpec(NetworkSpec):
    """A fully connected network that is not told the time."""

    name: Literal["perceptron"] = "perceptron"
    base_width: int = shown(64, "Width W", "units of each hidden layer", ge=1, le=16_384, unit="units")
    layers: int = shown(3, "Hidden layers", "how many of them", ge=1, le=64, advanced=True)
    activation: Literal["relu", "silu", "tanh"] = shown("relu", "Activation", "after every hidden layer", advanced=True)

    @property
    def parameters(self) -> int:
        """Trained parameters p, for points of one dimension."""
        width = self.base_width
        return 2 * width + (self.layers - 1) * (width + 1) * width + width + 1


class ScoreMeasurementSpec(MeasurementSpec):
    """What is measured of a learned score. One diffusion time is not enough to draw samples."""

    n_generated: int = shown(0, "Samples each", "none", ge=0, le=0, hidden=True)
    loss_indices: tuple[Annotated[int, Field(ge=0, le=0)], ...] = shown(
        (0,), "Loss indices", "the one there is", min_length=1, max_length=1, hidden=True
    )
    points: int = shown(
        4096,
        "Noised points",
        "fixed noised points of the population, and as many of the training set, at which scores are compared",
        ge=64,
        le=10**6,
        unit="points each",
        advanced=True,
    )
    grid: int = shown(241, "Drawn at", "values of x at which every score is kept", ge=16, le=10_000, unit="values", advanced=True)


class Score1dSpec(DenoiserSpec):
    """One run: one network, one set of training points, one diffusion time, one seed."""

    kind: Literal["score_1d"] = "score_1d"
    dataset: LineMixtureSpec = shown(LineMixtureSpec(), "Data", group=DATA)
    network: PerceptronSpec = shown(PerceptronSpec(), "Network", group=DATA)
    preconditioning: bool = shown(
        False, "Preconditioning", "the network predicts only what one Gaussian does not explain", group=DATA, advanced=True
    )
    # Of the processes the one that no sampler can follow, which other kinds do not offer.
    process: AtTimeSpec = shown(AtTimeSpec(), "Diffusion time", "trained, measured and drawn", group=TRAINING)  # type: ignore[assignment]
    only_index: None = shown(None, "Only at index", "there is one", group=TRAINING, hidden=True)
    optimizer: Optimizer = shown(AdamSpec(lr=3e-4), "Optimizer", "how the weights move", group=TRAINING)
    batch_size: Annotated[int, Field(ge=1, le=10**9)] | Literal["full"] = shown(
        256, "Batch", 'points per step, each with noise of its own, or "full" for all n', unit="points", group=TRAINING
    )
    steps: int = shown(4000, "Training steps", "training steps, the budget tau_max", ge=1, le=MAX_STEPS, unit="steps", group=SWEEP)
    stopping: BudgetPolicy = shown(BudgetPolicy(), "Stopping", "budget: after all steps", group=TRAINING, hidden=True)
    ema: Ema | None = shown(None, "Average of weights", "measured instead of the last weights", group=TRAINING, advanced=True)
    measurement: ScoreMeasurementSpec = shown(ScoreMeasurementSpec(), "Measurement", group=MEASUREMENT)
    onsets: OnsetsSpec = shown(
        OnsetsSpec(tau_gen=OnsetLevel(metric="e_score", level=1.0), tau_mem=OnsetLevel(metric="score_copied", level=0.5)),
        "Onsets",
        group=MEASUREMENT,
    )

    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (*DenoiserSpec.WITHIN_CONFIGURATION, "measurement.points", "measurement.grid")
    DOMAIN: ClassVar[tuple[str, ...]] = ("dataset.means", "dataset.sigma", "process", "onsets.tau_mem")

    def _check_indices(self) -> None:
        """There is one index, and its fields admit no other."""

    @property
    def sample_steps(self) -> frozenset[int]:
        return frozenset()

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        return ("e_score", *super().quality_metrics)

    @property
    def memorization_metrics(self) -> tuple[str, ...]:
        return ("score_copied", "alpha")

    @property
    def parameters(self) -> int:
        return self.network.parameters

    def cost(self) -> float:
        """Network evaluations of one point; a training step counts three."""
        evaluated = 2 * (self.measurement.points + self.measurement.loss_pairs) + self.measurement.grid
        return 3.0 * self.steps * self.batch + float(len(self.loss_steps) * evaluated)
