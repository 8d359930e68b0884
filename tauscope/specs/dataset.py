"""Which images a run is given."""

from typing import Literal

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import SWEEP, shown


class DatasetSpec(SpecModel):
    """Which images are trained on, and which are held out as reference."""

    name: str = shown("digits", "Data set", "a registered data set", choices="datasets")
    path: str | None = shown(None, "Folder", "where your copy of the data set is, if it is not where its package puts it", advanced=True)
    n_train: int = shown(64, "Training images n", "training-set size n", ge=2, le=10**9, unit="images", group=SWEEP)
    subset: int = shown(0, "Subset", "which disjoint slice of n_train images is trained on", ge=0, le=10**9, advanced=True)
    size: int = shown(8, "Image size", "height and width in pixels", ge=4, le=4096, unit="pixels")
    n_held_out: int = shown(1000, "Held out", "held-out images: reference and control, never trained on", ge=32, le=10**9, unit="images")
    n_calibration: int = shown(
        0,
        "Calibration",
        "images that are neither trained on nor measured with, for thresholds of your own",
        ge=0,
        le=10**9,
        unit="images",
        advanced=True,
    )
    colour: bool = shown(False, "Colour", "three channels instead of one", advanced=True)
    unreadable: Literal["fail", "skip"] = shown(
        "fail",
        "Unreadable images",
        "fail: the run ends and names the image; skip: it goes on without and says how many",
        advanced=True,
    )
