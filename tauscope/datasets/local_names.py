"""Data sets that were registered on this machine under a name, for sweeps that run without a service."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tauscope.contracts.datasets import NAME_REMEDY, DatasetView, is_name
from tauscope.datasets import DATASETS
from tauscope.datasets.images import ALIASES, OwnImagesOfAnyFormat
from tauscope.datasets.source import DatasetError
from tauscope.folders import home_folder
from tauscope.specs import SpecError, SweepSpec
from tauscope.specs.dataset import RegisteredSpec

_SOURCE = OwnImagesOfAnyFormat()


def names_here() -> dict[str, str]:
    """Name to path, absolute.

    Raises:
        DatasetError: if the file of names is damaged.
    """
    file = _file()
    try:
        found = json.loads(file.read_text()) if file.is_file() else {}
        return {str(name): str(path) for name, path in found.items()}
    except (OSError, ValueError, AttributeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}", "Mend or remove it, and register the data sets anew") from error


def register_here(name: str, path: str) -> int:
    """Give what lies at a path a name on this machine; a name that was given before stands for the new path.

    Returns:
        How many images there are.

    Raises:
        DatasetError: if the name or the path will not do.
    """
    if not is_name(name):
        raise DatasetError(f"{name!r} is no name", NAME_REMEDY, field="name")
    if name in DATASETS or name in ALIASES:
        raise DatasetError(f"{name} is taken", "Choose another name", field="name")
    place = str(Path(path).expanduser().resolve())
    count = len(_SOURCE.open(place))
    _write(names_here() | {name: place})
    return count


def forget_here(name: str) -> None:
    """Forget a name; the images stay.

    Raises:
        DatasetError: if there is no such name.
    """
    names = names_here()
    if name not in names:
        raise DatasetError(f"no data set {name!r} is registered on this machine", f"Known: {', '.join(names) or 'none'}", field="name")
    _write({other: path for other, path in names.items() if other != name})


def views_here() -> tuple[DatasetView, ...]:
    """The data sets as commands show them."""
    return tuple(_view(name, path) for name, path in sorted(names_here().items()))


def pinned_here(sweep: SweepSpec) -> SweepSpec:
    """The sweep with the place that the name of its data set stands for on this machine.

    Only a name that all runs share: with an axis over names each is a built-in one.

    Raises:
        SpecError: if the spec names another place too, or the file of names is damaged.
    """
    asked = sweep.base.images
    if asked is None or asked.name in DATASETS or asked.name in ALIASES or asked.registered or _varies(sweep):
        return sweep
    try:
        path = names_here().get(asked.name)
    except DatasetError as error:
        raise SpecError.single("dataset.name", error.message, error.remedy) from error
    if path is None:
        return sweep
    if asked.path not in (None, path):
        raise SpecError.single("dataset.path", f"is another place than {asked.name} was registered with", "Leave it out: the name says it")
    dataset = asked.model_copy(update={"path": path, "registered": RegisteredSpec()})
    return sweep.model_copy(update={"base": sweep.base.model_copy(update={"dataset": dataset})})


def _varies(sweep: SweepSpec) -> bool:
    return any("dataset.name" in names for names in ({*sweep.axes}, {*sweep.overrides}, *map(set, sweep.further)))


def _view(name: str, path: str) -> DatasetView:
    lack = _SOURCE.missing(path)
    return DatasetView(
        name=name,
        description="Registered on this machine",
        size=_SOURCE.native_size,
        n_images=None if lack else len(_SOURCE.open(path)),
        licence=_SOURCE.licence,
        source=path,
        coloured=True,
        available=not lack,
        remedy=lack,
        registered=True,
    )


def _file() -> Path:
    return home_folder() / "datasets.json"


def _write(names: Mapping[str, str]) -> None:
    """The file is whole or as it was."""
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, written = tempfile.mkstemp(dir=file.parent)
    with os.fdopen(handle, "w") as out:
        json.dump(dict(names), out, indent=1, sort_keys=True)
    Path(written).replace(file)
