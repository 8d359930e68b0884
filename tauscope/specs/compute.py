"""How a training step is computed: what changes its speed or memory, and of the numbers no more than it says."""

from typing import Literal

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown


class ComputeSpec(SpecModel):
    """Precision, layout, and how a batch is divided; measurements are always made in float32, whole and on one device."""

    precision: Literal["float32", "bfloat16"] = shown(
        "float32", "Precision", "of the network in a training step; weights, loss and optimizer stay float32", advanced=True
    )
    micro_batch: int | None = shown(
        None,
        "In parts of",
        "a batch's gradient is summed over parts of so many images, where it does not fit into memory at once; same images, t and noise",
        ge=1,
        le=10**9,
        unit="images",
        advanced=True,
    )
    memory_format: Literal["auto", "contiguous", "channels_last"] = shown(
        "auto",
        "Memory layout",
        "of weights and images; the same sums in another order; auto is channels last on a CPU from 16 pixels on",
        advanced=True,
    )
    compile: bool = shown(False, "Compile", "torch.compile the training step; needs a C++ compiler", advanced=True)
    devices: int = shown(
        1,
        "Devices",
        "processes that share each batch, on a GPU each or all on the CPU; the same images, t and noise",
        ge=1,
        le=64,
        advanced=True,
    )
