"""What a spec asks to be changed of a predictor while samples are drawn."""

from collections.abc import Callable

from torch import Tensor

from tauscope.process import Diffusion
from tauscope.samplers.low_pass import low_passed
from tauscope.samplers.projection import DirectionAt, projected
from tauscope.specs.sampler import AncestralSpec, DdimSpec, DpmSolverSpec

Predictor = Callable[[Tensor, Tensor], Tensor]


def intervened(
    eps_model: Predictor, diffusion: Diffusion, sampler: DdimSpec | DpmSolverSpec | AncestralSpec, direction: DirectionAt | None
) -> Predictor:
    """The predictor as it is sampled from, itself where nothing is asked for: the projection first, then the filter.

    Args:
        eps_model: maps (x_t, t) to eps_hat.
        diffusion: the forward process.
        sampler: the spec that asks.
        direction: of the projection, where one is asked for.
    """
    if sampler.projection is not None and direction is not None:
        eps_model = projected(eps_model, diffusion, direction, most=sampler.projection.most)
    if sampler.low_pass is not None:
        eps_model = low_passed(eps_model, diffusion, cutoff=sampler.low_pass.cutoff, edge=sampler.low_pass.edge)
    return eps_model
