"""Data sets as pages and commands show them, and what registers one."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from tauscope.contracts.model import Contract

NAME_PATTERN = r"^[a-z0-9][a-z0-9_.-]{0,39}$"
NAME_REMEDY = "Use small letters, digits, _ . - and at most 40 of them"


def is_name(name: str) -> bool:
    """Whether a data set may be called so."""
    return re.fullmatch(NAME_PATTERN, name) is not None


def _named(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"{name!r} is no name | {NAME_REMEDY}")
    return name


DatasetName = Annotated[str, AfterValidator(_named), Field(description=NAME_REMEDY, json_schema_extra={"pattern": NAME_PATTERN})]
Words = Annotated[str, Field(max_length=500)]


class DatasetCreate(Contract):
    """Register what lies at a path of the service's machine under a name."""

    name: DatasetName
    path: str = Field(max_length=1000, description="below one of the folders that TAUSCOPE_DATA_ROOTS names")
    description: Words = ""
    licence: Words = ""
    attribution: Words = ""


class DatasetView(Contract):
    """A data set that specs can name."""

    name: str
    description: str
    size: str
    n_images: int | None
    licence: str
    source: str
    attribution: str = Field("", description="what is asked of whoever shows the images or results on them")
    coloured: bool = Field(False, description="whether dataset.colour may be asked for")
    layouts: tuple[str, ...] = Field((), description="what dataset.path may be, each in a few words")
    available: bool
    remedy: str = Field("", description="what to do where it is not available")
    registered: bool = Field(False, description="whether a user registered it, and may remove it")
    changed: bool = Field(False, description="whether the files at its path are others than when it was registered")
    n_classes: int | None = None
    n_unreadable: int | None = Field(None, description="of a registered one: images that cannot be read, where every one was read")
    n_equal: int | None = Field(None, description="of a registered one: images that equal another in every byte, likewise")
    n_near: int | None = Field(None, description="of a registered one: images of which another is a near duplicate, likewise")
    n_experiments: int = Field(0, description="how many experiments are on it")


class TwinImages(Contract):
    """Two images of a run that are one picture, beside each other."""

    part: str = Field(description="train, or held_out where the first is a held-out image")
    first: int
    second: int = Field(description="number of a training image")
    rms: float | None = Field(description="root mean square of the difference in grey levels; nothing where every byte is equal")
    picture: str = Field(description="both as a PNG, as a data address")


class DataRemarks(Contract):
    """What is worth knowing of a run's images before it is launched; it stands in the way of nothing."""

    remarks: tuple[str, ...]
    pairs: tuple[TwinImages, ...] = ()
