"""Which Gaussian mixture a run learns, and how many draws of it."""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tauscope.specs.dataset import TrainingSetSpec
from tauscope.specs.shown import SWEEP, shown

Positive = Annotated[float, Field(gt=0, le=1e6)]


class MixtureSpec(TrainingSetSpec):
    """A mixture, and independent draws of it: n to train on, others to hold out. Seeds draw them anew."""

    name: Literal["pair", "random", "given"] = shown(
        "pair",
        "Centres",
        "pair: two, at mu and -mu in every dimension; random: drawn once from N(0, mu^2) a coordinate; given: as listed",
    )
    dim: int = shown(8, "Dimensions d", "numbers of a point", ge=1, le=4096, unit="dimensions")
    components: int = shown(2, "Components K", "Gaussians of the mixture; a pair has two", ge=1, le=1000, unit="components")
    mu: float = shown(1.0, "mu", "coordinate of a pair's centre, or standard deviation of random ones", gt=0, le=1e3)
    sigma: float = shown(1.0, "sigma", "standard deviation of every component in every dimension", gt=0, le=1e3)
    sigmas: tuple[Positive, ...] | None = shown(
        None,
        "sigma by dimension",
        "one for each dimension, of all components, or of one component after the other; by default sigma in all",
        max_length=100_000,
        advanced=True,
    )
    weights: tuple[Positive, ...] | None = shown(
        None, "Weights", "one for each component, in any unit; by default equal", max_length=1000, advanced=True
    )
    means: tuple[float, ...] | None = shown(
        None, "Given centres", "their coordinates, one centre after the other", max_length=100_000, advanced=True
    )
    centres_seed: int = shown(0, "Draw of the centres", "which random centres; the same for every run", ge=0, lt=2**31, advanced=True)
    n_train: int = shown(128, "Training points n", "training-set size n", ge=2, le=10**7, unit="points", group=SWEEP)
    n_held_out: int = shown(
        1024, "Held out", "draws that are never trained on: control, held-out loss and alpha_ho", ge=32, le=10**7, unit="points"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.name == "pair" and self.components != 2:
            raise ValueError(f"dataset.components {self.components}: a pair has two | Set components to 2, or name to random")
        if (self.means is not None) != (self.name == "given"):
            raise ValueError(f"dataset.means and name {self.name} disagree | List means with name: given, and with no other name")
        self._check_lengths()
        if self.n_held_out < self.n_train:
            raise ValueError(
                f"dataset.n_held_out {self.n_held_out} is less than n_train {self.n_train} | Hold out at least as many as train"
            )
        if any(not math.isfinite(number) for number in self.means or ()):
            raise ValueError("dataset.means holds a number that is not finite | Give finite coordinates")
        return self

    def _check_lengths(self) -> None:
        every = self.components * self.dim
        wanted = {"sigmas": (self.dim, every), "weights": (self.components,), "means": (every,)}
        what = {"sigmas": "dimension, of all components or of each", "weights": "component", "means": "coordinate of every component"}
        for name, lengths in wanted.items():
            found = getattr(self, name)
            if found is not None and len(found) not in lengths:
                told = " or ".join(str(length) for length in dict.fromkeys(lengths))
                raise ValueError(f"dataset.{name} has {len(found)} numbers where there are {told} | Give one for each {what[name]}")
