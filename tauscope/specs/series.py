"""Which windows of which time series a run is given."""

from typing import Literal, Self

from pydantic import model_validator

from tauscope.specs.dataset import TrainingSetSpec
from tauscope.specs.shown import SWEEP, shown


class SeriesSpec(TrainingSetSpec):
    """A series, how its gaps are met, and which windows of it are trained on and held out."""

    name: str = shown("weather_jfk", "Series", "a registered series, or series for a file of your own", choices="series")
    path: str | None = shown(None, "File", "your .csv, .npz, .npy or .ts file", advanced=True)
    channels: tuple[str, ...] | None = shown(
        None, "Channels", "columns that are modelled, in this order; by default all but the time", min_length=1, max_length=256
    )
    time: str | None = shown(None, "Time column", "by default the one whose name says so", advanced=True)
    sampling: Literal["fail", "grid", "resample", "rows"] = shown(
        "fail",
        "Unequal sampling",
        "fail: the run ends and names the row; grid: rows that are absent become missing values; resample: linear between rows;"
        " rows: as if they were equally far apart",
        advanced=True,
    )
    missing: Literal["fail", "drop", "fill"] = shown(
        "fail",
        "Missing values",
        "fail: the run ends and names row and column; drop: windows that hold one are left out and counted; fill: linear across"
        " short gaps, counted, and windows with longer ones are left out",
        advanced=True,
    )
    fill_limit: int = shown(3, "Longest gap filled", "missing values in a row that fill may bridge", ge=1, unit="steps", advanced=True)
    length: int = shown(24, "Window length", "steps in a window", ge=4, le=4096, unit="steps")
    stride: int = shown(24, "Stride", "steps from one training window to the next; below the length they overlap", ge=1, unit="steps")
    n_train: int = shown(64, "Training windows n", "training-set size n", ge=2, le=10**7, unit="windows", group=SWEEP)
    subset: int = shown(0, "Subset", "which disjoint choice of n_train windows is trained on", ge=0, le=10**6, advanced=True)
    n_held_out: int = shown(
        128, "Held out", "windows that are never trained on and never overlap: reference and control", ge=32, le=10**7, unit="windows"
    )
    split: Literal["tail", "blocks"] = shown(
        "tail",
        "Held-out part",
        "tail: the end of the series; blocks: a part of each block of time, so that both parts see all seasons",
        advanced=True,
    )
    block: int = shown(672, "Block", "of split: blocks, one training part and one held-out part", ge=8, unit="steps", advanced=True)
    held_out_share: float = shown(0.5, "Held-out share", "of the time, less the gaps", gt=0, lt=1, advanced=True)
    gap: int | None = shown(
        None, "Gap", "steps left out between the parts, at least a window; by default one window", ge=1, unit="steps", advanced=True
    )
    period: int | None = shown(
        None, "Period", "of the series, for the control at equal phase; by default it has none", ge=2, unit="steps", advanced=True
    )

    @model_validator(mode="after")
    def _nothing_leaks(self) -> Self:
        if self.gap is not None and self.gap < self.length:
            raise ValueError(
                f"gap {self.gap} is less than a window of length {self.length} | Leave gap out, or give it {self.length} or more"
            )
        needed = 2 * (self.length + self.gap_steps)
        if self.split == "blocks" and self.block < needed:
            raise ValueError(f"block {self.block} has no room for two windows and two gaps | Give it {needed} or more")
        return self

    @property
    def gap_steps(self) -> int:
        """Steps between the last one that is trained on and the first one held out, or the reverse."""
        return self.length if self.gap is None else self.gap
