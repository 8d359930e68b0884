"""Beginning a run from a checkpoint of another one."""

from pydantic import Field

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class ForkSpec(SpecModel):
    """Weights, their average and the optimizer come from a checkpoint; training goes on at its step, under this spec.

    Network, image size and diffusion steps must be those of the checkpoint; an optimizer of another name starts afresh.
    """

    step: int = shown(..., "Step", "the checkpoint's training step", ge=1, unit="steps")
    run: str | None = shown(None, "Run", "id of the run whose checkpoint it is, in the service", max_length=32)
    path: str | None = shown(None, "File", "the checkpoint's .json, where there is no service", advanced=True)
    weights_sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="digest of the weights; the service fills it in")
