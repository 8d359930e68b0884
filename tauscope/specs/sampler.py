"""How samples are drawn."""

from typing import Annotated, Literal

from pydantic import Field

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class DdimSpec(SpecModel):
    """Song et al. 2021, arXiv:2010.02502."""

    name: Literal["ddim"] = "ddim"
    steps: int = shown(100, "Sampling steps", "network evaluations per sample; below 16 f_mem is underestimated", ge=2, unit="evaluations")
    eta: float = shown(0.0, "ddim_eta", "share of ancestral noise; 0 is deterministic", ge=0, le=1, advanced=True)


class AncestralSpec(SpecModel):
    """Ho et al. 2020, arXiv:2006.11239, algorithm 2: every diffusion index is visited."""

    name: Literal["ancestral"] = "ancestral"


Sampler = Annotated[DdimSpec | AncestralSpec, Field(discriminator="name")]
