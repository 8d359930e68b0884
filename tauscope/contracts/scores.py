"""The score of a one-dimensional run as it is learnt, beside the two that are known exactly."""

from typing import Self

from pydantic import Field, model_validator

from tauscope.contracts.model import Contract


class ExactScores(Contract):
    """What a one-dimensional run is compared with at one diffusion time; all curves are over the same ``x``, in units of x_t."""

    t: float = Field(gt=0, description="diffusion time, alpha_bar = exp(-2 t)")
    alpha_bar: float = Field(gt=0, lt=1)
    training: tuple[float, ...] = Field(description="training points x_0; the empirical score has a centre at sqrt(alpha_bar) x_0 of each")
    x: tuple[float, ...] = Field(description="where the scores are given, increasing")
    density: tuple[float, ...] = Field(description="of x_t under the population")
    population: tuple[float, ...] = Field(description="score of the population at x")
    empirical: tuple[float, ...] = Field(description="score of the training points at x: what a network that copies them has learnt")

    @model_validator(mode="after")
    def _same_places(self) -> Self:
        if {len(self.density), len(self.population), len(self.empirical)} != {len(self.x)}:
            raise ValueError("density, population and empirical are given at every x | Give each as many numbers as x has")
        return self


class ScoreCurves(Contract):
    """The scores of one run; ``exact`` is missing until the run has begun."""

    run_id: str
    exact: ExactScores | None
    steps: tuple[int, ...] = Field((), description="checkpoints at which the learned score is known, increasing")
    learned: tuple[tuple[float, ...], ...] = Field((), description="learned score at x, one row a checkpoint")
