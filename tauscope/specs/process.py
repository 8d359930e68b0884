"""The forward processes that a run may be trained on."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tauscope.specs.model import SpecModel, named_by_default
from tauscope.specs.shown import shown


class _Indexed(SpecModel):
    """What every process has: a number of indices, the lowest of which may be left out."""

    name: str
    steps: int = shown(1000, "Diffusion steps", "diffusion steps", ge=2, le=100_000)
    first_trained_index: int = shown(1, "First trained index", "lowest trained diffusion index; sampling never goes below it", ge=0)

    @model_validator(mode="after")
    def _trains_something(self) -> Self:
        if self.first_trained_index >= self.steps:
            raise ValueError(f"first_trained_index must be below steps = {self.steps} | Use 0 or 1")
        return self


class LinearSpec(_Indexed):
    """beta rises linearly over the steps (Ho et al. 2020, arXiv:2006.11239)."""

    name: Literal["linear"] = "linear"
    beta_min: float = shown(1e-4, "beta, first", "beta at index 0", gt=0, lt=1)
    beta_max: float = shown(2e-2, "beta, last", "beta at the last index", gt=0, lt=1)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.beta_max < self.beta_min:
            raise ValueError("beta_max is below beta_min | Exchange the two")
        return self


class CosineSpec(_Indexed):
    """alpha_bar falls as a squared cosine, beta being at most 0.999 (Nichol and Dhariwal 2021, arXiv:2102.09672, eq. 17)."""

    name: Literal["cosine"] = "cosine"
    offset: float = shown(0.008, "Offset", "s of the paper, which keeps beta from vanishing at index 0", gt=0, lt=1, advanced=True)


class LogSnrSpec(_Indexed):
    """log(alpha_bar / (1 - alpha_bar)) falls evenly from index 0 to the last; by default between the ends of the linear process."""

    name: Literal["log_snr"] = "log_snr"
    log_snr_max: float = shown(9.2, "log-SNR, first", "logarithm of the signal-to-noise ratio at index 0", ge=-20, le=20)
    log_snr_min: float = shown(-10.1, "log-SNR, last", "the same at the last index", ge=-20, le=20)

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if self.log_snr_max <= self.log_snr_min:
            raise ValueError("log_snr_max is not above log_snr_min | Exchange the two")
        return self


class AtTimeSpec(SpecModel):
    """One diffusion time alone, by alpha_bar = exp(-2 t), the time of arXiv:2505.17638; no sampler can follow it."""

    name: Literal["at_time"] = "at_time"
    t: float = shown(0.02, "Diffusion time t", "alpha_bar = exp(-2 t)", gt=0, le=10)

    steps: ClassVar[int] = 1
    first_trained_index: ClassVar[int] = 0


SampledSpec = LinearSpec | CosineSpec | LogSnrSpec
ProcessSpec = SampledSpec | AtTimeSpec
Process = Annotated[SampledSpec, Field(discriminator="name"), BeforeValidator(named_by_default("linear"))]
