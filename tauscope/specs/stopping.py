"""When a run stops before its budget is spent: a policy, tagged by ``name``. ``tauscope.analysis.stopping`` decides by it."""

from typing import Annotated, Literal

from pydantic import Field

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import shown

_CONFIRMATIONS = shown(2, "Confirmations", "checkpoints in a row that must say so", ge=1, le=1000, unit="checkpoints", advanced=True)


class BudgetPolicy(SpecModel):
    """Take all training steps."""

    name: Literal["budget"] = "budget"


class CopyingPolicy(SpecModel):
    """Stop once copying is certain: the lower 95 % end of f_mem minus the upper 95 % end of its control is above a level."""

    name: Literal["copying"] = "copying"
    level: float = shown(0.01, "Copies", "share of samples copied beyond the control, at 95 %", ge=0, lt=1, unit="share of samples")
    confirmations: int = _CONFIRMATIONS


class WindowPolicy(SpecModel):
    """Stop in the window: quality no longer improves, and a warning says that copying comes.

    Either of two is a warning: the relative loss gap above ``gap`` with its lower 95 % end, or f_mem minus its control above ``copies``,
    95 % ends against each other.
    """

    name: Literal["window"] = "window"
    patience: int = shown(2, "Patience", "checkpoints in a row without better quality", ge=1, le=1000, unit="checkpoints")
    gap: float = shown(0.1, "Loss gap", "(held-out - training loss) / held-out loss that is a warning", ge=0, lt=1)
    copies: float = shown(0.01, "Copies", "share of samples copied beyond the control that is a warning", ge=0, lt=1, advanced=True)
    gap_index: int | None = shown(None, "Loss gap at index", "one of the loss indices; by default the highest of them", ge=0, advanced=True)
    confirmations: int = _CONFIRMATIONS


Stopping = Annotated[BudgetPolicy | CopyingPolicy | WindowPolicy, Field(discriminator="name")]
