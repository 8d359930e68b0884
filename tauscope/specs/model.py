"""The base of every spec model."""

from pydantic import BaseModel, ConfigDict


class SpecModel(BaseModel):
    """Frozen, and closed: a misspelt field is an error, never a silent default."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
