"""The forward processes that a run may be trained on."""

from typing import Literal, Self

from pydantic import model_validator

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class ProcessSpec(SpecModel):
    """The forward process: beta rises linearly over the steps (Ho et al. 2020, arXiv:2006.11239)."""

    name: Literal["linear"] = "linear"
    steps: int = shown(1000, "Diffusion steps", "diffusion steps", ge=2, le=100_000)
    beta_min: float = shown(1e-4, "beta, first", "beta at index 0", gt=0, lt=1)
    beta_max: float = shown(2e-2, "beta, last", "beta at the last index", gt=0, lt=1)
    first_trained_index: int = shown(1, "First trained index", "lowest trained diffusion index; sampling never goes below it", ge=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.beta_max < self.beta_min:
            raise ValueError("beta_max is below beta_min | Exchange the two")
        if self.first_trained_index >= self.steps:
            raise ValueError(f"first_trained_index must be below steps = {self.steps} | Use 0 or 1")
        return self
