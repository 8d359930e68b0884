"""A series as its file has it: columns of numbers, some missing, at times that need not be equally far apart."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray


@dataclass(frozen=True)
class RawSeries:
    """Rows in the order of time.

    Attributes:
        values: NaN where one is missing.
        channels: the names of the columns.
        times: in seconds, or in the file's own unit if it holds numbers; ``None`` where there is no such column.
        rows: the line of the file that each row stands in, counted from 1; 0 for a row that the file does not have.
        where: the file, as errors name it.
        sha256: of the bytes of the file.
        time_column: its name, for errors.
        dated: whether times are seconds since 1970.
        remarks: what is to be told of it, in sentences.
        recordings: which one each row is of, where there are several; no window reaches from one into the next.
    """

    values: Float[ndarray, "row channel"]
    channels: tuple[str, ...]
    times: Float[ndarray, " row"] | None
    rows: Int[ndarray, " row"]
    where: str
    sha256: str
    time_column: str = ""
    dated: bool = False
    remarks: tuple[str, ...] = ()
    recordings: Int[ndarray, " row"] | None = None

    @property
    def cuts(self) -> Int[ndarray, " cut"]:
        """Rows at which another recording begins."""
        return np.zeros(0, np.int64) if self.recordings is None else np.flatnonzero(np.diff(self.recordings)) + 1
