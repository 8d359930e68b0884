"""How the weights move, and which average of them is measured."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tauscope.specs.model import SpecModel, named_by_default
from tauscope.specs.schedule import MAX_STEPS
from tauscope.specs.shown import shown


class _Descent(SpecModel):
    """What every optimizer has: a learning rate along training, and a bound on the gradient."""

    name: str
    lr: float = shown(1e-4, "Learning rate", "learning rate", gt=0)
    warmup_steps: int = shown(
        0, "Warm-up", "the learning rate rises linearly over so many steps", ge=0, le=MAX_STEPS, unit="steps", advanced=True
    )
    cosine_steps: int | None = shown(
        None,
        "Cosine over",
        "after the warm-up the learning rate falls to 0 along half a cosine that ends at this step; by default it stays",
        ge=1,
        le=MAX_STEPS,
        unit="steps",
        advanced=True,
    )
    clip_norm: float | None = shown(
        None, "Gradient clipped at", "Euclidean norm over all weights above which a gradient is scaled down to it", gt=0, advanced=True
    )
    weight_decay: float = shown(
        0.0,
        "Weight decay",
        "adam: each step takes this share times the learning rate off every weight, as in AdamW; sgd: it is added to the gradient",
        ge=0,
        lt=1,
        advanced=True,
    )

    @model_validator(mode="after")
    def _falls_after_it_rose(self) -> Self:
        if self.cosine_steps is not None and self.cosine_steps <= self.warmup_steps:
            raise ValueError(
                f"cosine_steps {self.cosine_steps} is not beyond warmup_steps {self.warmup_steps}"
                " | Count both from the start of training; give cosine_steps more"
            )
        return self


class AdamSpec(_Descent):
    """Adam (Kingma and Ba 2015, arXiv:1412.6980); with weight decay AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101)."""

    name: Literal["adam"] = "adam"
    betas: tuple[float, float] = shown((0.9, 0.999), "Moment decay", "decay of the two moments", advanced=True)


class SgdSpec(_Descent):
    """Stochastic gradient descent with heavy-ball momentum."""

    name: Literal["sgd"] = "sgd"
    lr: float = shown(1e-2, "Learning rate", "learning rate", gt=0)
    momentum: float = shown(0.95, "Momentum", "momentum", ge=0, lt=1)


Optimizer = Annotated[AdamSpec | SgdSpec, Field(discriminator="name")]

# The relative standard deviation of a power-function average over which its exponent is 0 or less: weights that grow with time.
UNIFORM_STD = 12**-0.5


class _Average(SpecModel):
    """What every average has: its length, and further lengths."""

    LENGTH: ClassVar[str]  # The field that holds it.
    name: str
    further: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = shown(
        (),
        "Further lengths",
        "averages of other lengths, kept beside it; their held-out losses and f_mem are measured too, at the price of as many samples each",
        max_length=8,
        advanced=True,
    )

    @property
    def lengths(self) -> tuple[float, ...]:
        """The length of the measured average, then the further ones."""
        return (getattr(self, self.LENGTH), *self.further)

    @property
    def further_names(self) -> dict[str, float]:
        """The further lengths by what is added to the names of their metrics, e.g. ``~ema0.1``."""
        return {f"~ema{length:g}": length for length in self.further}

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if len({f"{length:g}" for length in self.lengths}) < len(self.lengths):
            raise ValueError(f"further repeats a length of {list(self.lengths)} | List each other length once")
        return self


class EmaSpec(_Average):
    """Exponential moving average of the weights, used for every measurement; decay_k = min(decay, (1+k)/(10+k))."""

    LENGTH: ClassVar[str] = "decay"
    name: Literal["constant"] = "constant"
    decay: float = shown(0.98, "Decay", "decay per training step once warmed up", gt=0, lt=1)


class PowerEmaSpec(_Average):
    """Power-function average of the weights, whose length grows with training (Karras et al. 2024, arXiv:2312.02696, section 3.1)."""

    LENGTH: ClassVar[str] = "relative_std"
    name: Literal["power"] = "power"
    relative_std: float = shown(
        0.05, "Relative length", "standard deviation of the average's profile over the training time so far", gt=0, lt=UNIFORM_STD
    )

    @model_validator(mode="after")
    def _all_narrow(self) -> Self:
        if wide := [length for length in self.further if length >= UNIFORM_STD]:
            raise ValueError(f"further has {wide}, wider than an average with equal weights | Stay below {UNIFORM_STD:.4f}")
        return self


Ema = Annotated[EmaSpec | PowerEmaSpec, Field(discriminator="name"), BeforeValidator(named_by_default("constant"))]
