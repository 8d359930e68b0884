"""The experiment kinds ``random_features`` and ``rf_spectrum``: a score model whose training is solved in closed form."""

from typing import Annotated, ClassVar, Literal, Self, get_args

from pydantic import Field, model_validator

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.measurement import Measurement, OnsetLevel, OnsetsSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.schedule import MAX_STEPS, LogSpaced, Schedule
from tauscope.specs.shown import DATA, MEASUREMENT, SWEEP, TRAINING, shown
from tauscope.specs.stopping import BudgetPolicy
from tauscope.theory.errors import TheoryError
from tauscope.theory.rf_covariance import needed_bytes
from tauscope.theory.rf_model import Level, RandomFeatures
from tauscope.theory.rf_stability import largest_stable_eta, rounded_down

MAX_BYTES = 64 * 2**30  # More than this is a slip of the pen; less may still be more than a machine has.

EquivalentActivation = Literal["tanh", "erf"]  # Those that have a Gaussian equivalent.
SCORE_ERROR, GAP_SHARE, LOSS_GAP = "score_error", "gap_share", "loss_gap"


class CovarianceSpec(SpecModel):
    """Sigma, the covariance of the data: one level, or two."""

    variance: float = shown(1.0, "Variance", "of the data along each direction, or along the first share of them", ge=0, le=1e6)
    second_variance: float | None = shown(None, "Second variance", "along all other directions; by default there are none", ge=0, le=1e6)
    share: float = shown(0.5, "Share", "of the directions that have the first variance, where there are two", gt=0, lt=1, advanced=True)

    @property
    def levels(self) -> tuple[Level, ...]:
        """As the theory takes them."""
        if self.second_variance is None:
            return (Level(self.variance),)
        return (Level(self.variance, self.share), Level(self.second_variance, 1 - self.share))


class FlowSpec(SpecModel):
    """Gradient flow, in closed form: steps that are infinitely small."""

    name: Literal["flow"] = "flow"


class DescentSpec(SpecModel):
    """Gradient descent over all noise and all training points, in closed form."""

    name: Literal["descent"] = "descent"


class LoopSpec(SpecModel):
    """A real loop, step by step; beside gradient descent the closed form is drawn."""

    name: Literal["loop"] = "loop"
    optimizer: Literal["gd", "adam"] = shown("gd", "Optimizer", "gradient descent or Adam")
    noise_draws: int | None = shown(
        1, "Noise draws", "fresh noise a training point and step; none: the gradient over all noise", ge=1, le=10_000, unit="draws"
    )


Dynamics = Annotated[FlowSpec | DescentSpec | LoopSpec, Field(discriminator="name")]


class RfMeasurementSpec(Measurement):
    """When losses are told."""

    schedule: Schedule = shown(LogSpaced(first=1, count=80), "Times", "steps at which the losses are told")


class SpectrumMeasurementSpec(Measurement):
    """What the limiting spectrum is held against. It has no training time; all of it stands at step 1."""

    schedule: Schedule = shown(LogSpaced(first=1, count=2), "Times", hidden=True)
    bins_per_decade: int = shown(12, "Bins", "of the histogram, even in log10 lambda", ge=1, le=100, unit="bins a decade")


class RfOnsetsSpec(OnsetsSpec):
    """tau_gen where E_score falls to its level; tau_mem where the gap has reached its share of the gap that all training ends at."""

    tau_gen: OnsetLevel = shown(OnsetLevel(metric=SCORE_ERROR, level=0.15), "tau_gen")
    tau_mem: OnsetLevel = shown(OnsetLevel(metric=GAP_SHARE, level=0.5), "tau_mem")


class SolvedSpec(ExperimentSpec):
    """Sizes, data and noise of the model of arXiv:2505.17638."""

    psi_p: float = shown(64.0, "psi_p", "features per dimension, p / d", gt=0, le=1e6, group=DATA)
    psi_n: float = shown(8.0, "psi_n", "training points per dimension, n / d", gt=0, le=1e6, group=DATA)
    d: int = shown(30, "d", "dimension of the data", ge=1, le=100_000, group=DATA)
    t: float = shown(0.01, "t", "diffusion time, alpha_bar = exp(-2t)", gt=0, le=20, group=DATA)
    sigma: CovarianceSpec = shown(CovarianceSpec(), "Covariance", "of the Gaussian data", group=DATA, advanced=True)
    steps: int
    draws: int = shown(
        4,
        "Draws",
        "of first layer and training points; a value is their mean, its interval their spread",
        ge=2,
        le=10_000,
        unit="draws",
        group=SWEEP,
    )
    seed: int = shown(0, "Seeds", "all draws derive from it", ge=0, lt=2**31, group=SWEEP)

    WITHIN_CONFIGURATION: ClassVar[tuple[str, ...]] = (*ExperimentSpec.WITHIN_CONFIGURATION, "psi_n", "draws", "measurement.schedule")
    DOMAIN: ClassVar[tuple[str, ...]] = ("d", "t", "sigma", "onsets.tau_mem")

    activation: str

    @property
    def model(self) -> RandomFeatures:
        """The model of the theory."""
        return RandomFeatures(self.psi_p, self.psi_n, self.d, self.t, self.activation, self.sigma.levels)

    @property
    def exact(self) -> bool:
        """Whether U is that of the features themselves, and not of their Gaussian equivalent."""
        return False

    @property
    def needed_bytes(self) -> int:
        """Memory that one draw takes."""
        return needed_bytes(self.model, exact=self.exact)

    @property
    def _smaller(self) -> str:
        """What takes less memory."""
        lower = "Lower d, psi_n or psi_p"
        return f"{lower}, or set u to gaussian, which needs (n + d)^2 numbers in place of p^2" if self.exact else lower

    @property
    def n_train(self) -> int:
        return round(self.psi_n * self.d)

    @property
    def parameters(self) -> int:
        """The trained output weights A."""
        return self.d * round(self.psi_p * self.d)

    def with_n(self, n_train: int) -> Self:
        return self.model_copy(update={"psi_n": n_train / self.d})

    def cost(self) -> float:
        """Multiplications of the eigenvalue problems."""
        p = round(self.psi_p * self.d)
        rows = p if self.exact else min(p, self.n_train + self.d)
        return float(self.draws) * 10 * rows**3

    def _checked(self) -> Self:
        """Build the model and see that it fits.

        Raises:
            ValueError: naming the field and the remedy.
        """
        try:
            model = self.model
            if not self.exact:
                _ = model.constants
        except TheoryError as error:
            raise ValueError(f"{error.message} | {error.remedy}") from error
        if self.d == 1:
            raise ValueError("d = 1 is too small: all features look in the same direction | Use d of 2 or more, for the limit 20 or more")
        if self.needed_bytes > MAX_BYTES:
            raise ValueError(
                f"p = {model.p:,}, n = {model.n:,} need about {self.needed_bytes:,} bytes ({self.needed_bytes / 2**30:,.0f} GiB) at once"
                f" | {self._smaller}"
            )
        return self


class RandomFeaturesSpec(SolvedSpec):
    """One model, solved or trained."""

    kind: Literal["random_features"] = "random_features"
    activation: Literal["tanh", "erf", "relu", "abs", "square"] = shown("tanh", "Activation", "of the features", group=DATA)
    u: Literal["gaussian", "exact"] = shown(
        "gaussian", "U", "of the Gaussian equivalent, where p costs nothing, or exact, by Hermite expansion", group=DATA
    )
    dynamics: Dynamics = shown(FlowSpec(), "Dynamics", "gradient flow, gradient descent, or a real loop", group=TRAINING)
    eta: float | None = shown(
        None, "eta", "learning rate of A; tau = k eta / d^2 after k steps; by default d^2, so that tau counts steps", gt=0, group=TRAINING
    )
    steps: int = shown(1_000_000, "Training steps", "k, the budget", ge=1, le=MAX_STEPS, unit="steps", group=SWEEP)
    measurement: RfMeasurementSpec = shown(RfMeasurementSpec(), "Measurement", group=MEASUREMENT)
    onsets: RfOnsetsSpec = shown(RfOnsetsSpec(), "Onsets", group=MEASUREMENT)
    stopping: BudgetPolicy = shown(BudgetPolicy(), "Stopping", hidden=True, group=TRAINING)
    retention: Literal["all"] = shown("all", "Checkpoints kept", hidden=True, group=MEASUREMENT)
    device: Literal["auto", "cpu"] = shown("auto", "Device", hidden=True, group=TRAINING)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.dynamics.name == "loop":
            self._check_loop(self.dynamics)
        self._check_levels()
        checked = self._checked()
        self._check_rate()
        return checked

    def _check_rate(self) -> None:
        """Steps that make descent diverge are refused before anything is drawn; a flow has none, and Adam's are bounded."""
        if isinstance(self.dynamics, FlowSpec) or not self.has_closed_form:
            return
        largest = largest_stable_eta(self.model)
        if self.rate > largest:
            default = " by default" if self.eta is None else ""
            raise ValueError(
                f"eta {self.rate:,.6g}{default} makes gradient descent diverge: at these sizes the largest eigenvalue of U allows up to "
                f"{rounded_down(largest):,.6g} | Set eta to {rounded_down(largest):.6g} or less"
            )

    def _check_loop(self, loop: LoopSpec) -> None:
        if self.u != "exact":
            raise ValueError("dynamics.name loop trains real features, and the Gaussian equivalent has none | Set u to exact")
        if loop.optimizer == "adam" and self.eta is None:
            raise ValueError("eta has no default with adam, whose steps do not scale with the gradient | Set eta, for example 0.01")

    def _check_levels(self) -> None:
        for name, level, known in (
            ("tau_gen", self.onsets.tau_gen, self.quality_metrics),
            ("tau_mem", self.onsets.tau_mem, self.memorization_metrics),
        ):
            if level.metric not in known:
                raise ValueError(f"onsets.{name}.metric is not measured | Choose from {', '.join(known)}")
        if not 0 < self.onsets.tau_mem.level < 1:
            raise ValueError("onsets.tau_mem.level is not between 0 and 1 | For example 0.5")

    @property
    def exact(self) -> bool:
        return self.u == "exact"

    @property
    def rate(self) -> float:
        """eta, with its default."""
        return float(self.d**2) if self.eta is None else self.eta

    @property
    def has_closed_form(self) -> bool:
        """Whether the losses are known without training: not with Adam."""
        return not (isinstance(self.dynamics, LoopSpec) and self.dynamics.optimizer == "adam")

    @property
    def bulks_known(self) -> bool:
        """Whether the limiting spectrum says when what is learnt."""
        return not self.bulks_missing

    @property
    def bulks_missing(self) -> str:
        """Why the limiting spectrum says nothing of this run; empty where it does."""
        if not self.has_closed_form:
            return "the steps of Adam do not follow the eigenvalues of U"
        if self.activation not in get_args(EquivalentActivation):
            return f"{self.activation} has no Gaussian equivalent, whose spectrum is the one that is known"
        if self.psi_p < 1 + self.psi_n:
            return f"psi_p = {self.psi_p:g} is below 1 + psi_n = {1 + self.psi_n:g}, so training points have no direction of their own"
        return ""

    @property
    def needed_bytes(self) -> int:
        """A loop keeps both U of every draw, to tell its losses by."""
        return super().needed_bytes + (16 * self.model.p**2 * self.draws if isinstance(self.dynamics, LoopSpec) else 0)

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        return (SCORE_ERROR, self.held_out_loss)

    @property
    def memorization_metrics(self) -> tuple[str, ...]:
        return (GAP_SHARE, LOSS_GAP)

    def cost(self) -> float:
        """Multiplications: of the eigenvalue problems, and of the loop where there is one."""
        solving = super().cost()
        if not isinstance(self.dynamics, LoopSpec):
            return solving
        p = round(self.psi_p * self.d)
        a_step = 2 * self.d * p * (p if self.dynamics.noise_draws is None else 2 * self.dynamics.noise_draws * self.n_train)
        return solving + float(self.draws) * self.steps * a_step


class RfSpectrumSpec(SolvedSpec):
    """The spectrum of U in the limit of large d, beside that of sampled ones; nothing is trained."""

    TRAINS: ClassVar[bool] = False

    kind: Literal["rf_spectrum"] = "rf_spectrum"
    activation: EquivalentActivation = shown("tanh", "Activation", "of the features", group=DATA)
    d: int = shown(100, "d", "dimension of the sampled models; the limit has none", ge=1, le=100_000, group=DATA)
    steps: Literal[1] = shown(1, "Training steps", hidden=True, group=SWEEP)
    measurement: SpectrumMeasurementSpec = shown(SpectrumMeasurementSpec(), "Measurement", group=MEASUREMENT)
    onsets: RfOnsetsSpec = shown(RfOnsetsSpec(), "Onsets", hidden=True, group=MEASUREMENT)
    stopping: BudgetPolicy = shown(BudgetPolicy(), "Stopping", hidden=True, group=TRAINING)
    retention: Literal["all"] = shown("all", "Checkpoints kept", hidden=True, group=MEASUREMENT)
    device: Literal["auto", "cpu"] = shown("auto", "Device", hidden=True, group=TRAINING)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.psi_p < 1 + self.psi_n:
            raise ValueError(
                f"psi_p {self.psi_p:g} is below 1 + psi_n = {1 + self.psi_n:g}: training points have no direction of their own"
                " | Raise psi_p or lower psi_n"
            )
        return self._checked()

    @property
    def loss_steps(self) -> frozenset[int]:
        return frozenset({1})

    @property
    def quality_metrics(self) -> tuple[str, ...]:
        return ()

    @property
    def memorization_metrics(self) -> tuple[str, ...]:
        return ()
