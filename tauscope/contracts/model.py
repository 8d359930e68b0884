"""The base of every contract model."""

from pydantic import BaseModel, ConfigDict


class Contract(BaseModel):
    """Frozen and closed, and free of NaN and infinity: a missing number is ``None`` and says why elsewhere."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
