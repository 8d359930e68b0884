"""Whether two sweeps scale differently: the difference of their exponents, its interval and p-value, or why there is none."""

from typing import Self

from pydantic import Field, model_validator

from tauscope.contracts.model import Contract
from tauscope.contracts.onsets import PowerLawFit


class ExponentComparison(Contract):
    """One exponent of two sweeps; ``difference`` is ``None`` with the reason in ``note``."""

    difference: float | None = Field(description="exponent of the second sweep minus that of the first")
    low: float | None = Field(None, description="of its 95 % interval; None where it has no lower end")
    high: float | None = Field(None, description="of its 95 % interval; None where it has no upper end")
    p_value: float | None = Field(None, description="of equal exponents, by likelihood ratio; only where both hold the run-to-run spread")
    first: PowerLawFit | None
    second: PowerLawFit | None
    note: str = Field(description="what the interval leaves out, or why the exponents cannot be compared")

    @model_validator(mode="after")
    def _numbers_only_with_a_difference(self) -> Self:
        if self.difference is None and not (self.low is self.high is self.p_value is None):
            raise ValueError("an interval or a p-value needs the difference it is of")
        return self


class LawComparison(Contract):
    """Two sweeps and, under the names that fits have (``tau_mem_vs_n``), the comparison of each exponent."""

    first: str = Field(description="what the first sweep is called")
    second: str
    exponents: dict[str, ExponentComparison]
