"""How samples are drawn."""

from typing import Annotated, Literal

from pydantic import Field

from tauscope.specs.interventions import LowPassSpec, ProjectionSpec
from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class _Guided(SpecModel):
    """What every way of sampling has: classifier-free guidance (Ho and Salimans 2022, arXiv:2207.12598, eq. 6), and interventions."""

    guidance: float = shown(
        0.0,
        "Guidance w",
        "eps = (1 + w) eps(label) - w eps(no label); 0 takes the label's alone",
        ge=0,
        advanced=True,
    )
    low_pass: LowPassSpec | None = shown(None, "Low-pass filter", "on what was learned, while samples are drawn", advanced=True)
    projection: ProjectionSpec | None = shown(
        None, "Projection", "the direction of the training set's own score, taken out while samples are drawn", advanced=True
    )


class DdimSpec(_Guided):
    """Song et al. 2021, arXiv:2010.02502."""

    name: Literal["ddim"] = "ddim"
    steps: int = shown(100, "Sampling steps", "network evaluations per sample; below 25 f_mem is underestimated", ge=2, unit="evaluations")
    eta: float = shown(0.0, "ddim_eta", "share of ancestral noise; 0 is deterministic", ge=0, le=1, advanced=True)

    def evaluations(self, trained: int) -> int:
        """Diffusion indices visited, of those that are trained."""
        return self.steps


class DpmSolverSpec(_Guided):
    """DPM-Solver++(2M), Lu et al. 2022, arXiv:2211.01095, algorithm 2: second order, deterministic."""

    name: Literal["dpm_solver"] = "dpm_solver"
    steps: int = shown(20, "Sampling steps", "network evaluations per sample; below 15 f_mem is underestimated", ge=2, unit="evaluations")

    def evaluations(self, trained: int) -> int:
        """Diffusion indices visited, of those that are trained."""
        return self.steps


class AncestralSpec(_Guided):
    """Ho et al. 2020, arXiv:2006.11239, algorithm 2: every diffusion index is visited."""

    name: Literal["ancestral"] = "ancestral"

    def evaluations(self, trained: int) -> int:
        """Diffusion indices visited, of those that are trained."""
        return trained


Sampler = Annotated[DdimSpec | DpmSolverSpec | AncestralSpec, Field(discriminator="name")]
