"""What may be changed of a learned score: while samples are drawn, the network staying as it was trained, or by a term of the loss."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class LowPassSpec(SpecModel):
    """A radial filter on x0_hat: kept below cutoff - edge/2, gone above cutoff + edge/2, a raised cosine between."""

    cutoff: float = shown(..., "Cut-off", "where half of a frequency is kept", gt=0, unit="cycles per image")
    edge: float = shown(1.0, "Edge", "width of the passage from all to nothing; 0 is sharp and rings", ge=0, unit="cycles per image")

    @model_validator(mode="after")
    def _edge_above_zero(self) -> Self:
        if self.edge > 2 * self.cutoff:
            raise ValueError(f"edge {self.edge:g} reaches below frequency 0 at cutoff {self.cutoff:g} | Set edge to at most twice cutoff")
        return self


class FrequencyPenaltySpec(LowPassSpec):
    """A term of the training loss: weight x min(1, SNR) x |what the filter would take from x0_hat|^2, a mean over pixels.

    Where SNR = alpha_bar / (1 - alpha_bar) is below 1, the best answer is the conditional mean with each frequency divided by
    1 + weight x (1 - gain)^2; above, 1 + weight x (1 - gain)^2 / SNR, so that details which x_t still shows are kept.
    """

    weight: float = shown(1.0, "Weight", "of the term beside the mean squared error of eps", gt=0, le=1e4)


class ProjectionSpec(SpecModel):
    """The part of the score that points from a reference to the empirical score of the training set is taken out.

    Of a population, or of the run's own network at an earlier step, the coefficient is alpha, 0 for the reference's score and 1 for the
    training set's; of a held-out set as large as the training set it is alpha_ho, 0 for a network that knows neither and 1/2 for one
    that has memorized the first.
    """

    reference: Literal["population", "held_out"] | Annotated[int, Field(ge=1)] = shown(
        "held_out",
        "Reference",
        "population: where its score is known exactly; held_out: as many held-out points as training points; a training step: the "
        "run's own checkpoint of that step, where one is measured again",
    )
    most: float = shown(1.0, "At most", "the coefficient is clipped to lie between 0 and this before it is taken out", gt=0, le=1)

    @property
    def step(self) -> int | None:
        """The training step of the checkpoint that is the reference, where one is."""
        return self.reference if isinstance(self.reference, int) else None
