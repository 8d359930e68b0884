"""Which images a run is given."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from tauscope.specs.model import SpecModel
from tauscope.specs.shown import SWEEP, shown


class RegisteredSpec(SpecModel):
    """What a name that was registered with a service stood for when the run was launched."""

    format: str = Field("images", max_length=40, description="the source that reads it")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="digest of the uploaded archive; of a path there is none")


class TrainingSetSpec(SpecModel):
    """What every kind's ``dataset`` has."""

    if TYPE_CHECKING:  # Declared by each kind: pydantic shows a field where it was first declared.
        name: str
        n_train: int
        n_held_out: int


class DatasetSpec(TrainingSetSpec):
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
    duplicates: Literal["keep", "merge"] = shown(
        "keep",
        "Duplicates",
        "keep: as they are, and told; merge: of images that are equal or nearly so only the first is trained on or held out",
        advanced=True,
    )
    registered: RegisteredSpec | None = shown(None, "Registered", "what the name stands for; the service fills it in", hidden=True)
