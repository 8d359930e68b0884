"""Samplers: from noise to images with a trained eps-predictor; one file each and one line here."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from tauscope.process import Diffusion
from tauscope.samplers.ancestral import sample_ancestral
from tauscope.samplers.ddim import sample_ddim
from tauscope.samplers.dpm_solver import sample_dpm_solver
from tauscope.samplers.guidance import guided
from tauscope.samplers.interventions import intervened
from tauscope.specs.sampler import AncestralSpec, DdimSpec, DpmSolverSpec

EpsModel = Callable[[Float[Tensor, "batch ..."], Int[Tensor, " batch"]], Float[Tensor, "batch ..."]]

__all__ = ["EpsModel", "draw_samples", "guided", "intervened", "sample_ancestral", "sample_ddim", "sample_dpm_solver"]


@torch.no_grad()
def draw_samples(
    eps_model: EpsModel,
    diffusion: Diffusion,
    x_T: Float[Tensor, "batch ..."],
    sampler: DdimSpec | DpmSolverSpec | AncestralSpec,
    *,
    generator: torch.Generator,
) -> Float[Tensor, "batch ..."]:
    """Draw one sample per starting noise with the sampler that the spec names."""
    if isinstance(sampler, DdimSpec):
        return sample_ddim(eps_model, diffusion, x_T, steps=sampler.steps, eta=sampler.eta, generator=generator)
    if isinstance(sampler, DpmSolverSpec):
        return sample_dpm_solver(eps_model, diffusion, x_T, steps=sampler.steps)
    return sample_ancestral(eps_model, diffusion, x_T, generator=generator)
