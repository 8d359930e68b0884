"""Data sets: one file each and one line in the registry. They yield uint8 images and import no PyTorch."""

from tauscope.contracts.experiments import DatasetView
from tauscope.datasets.celeba import CelebA
from tauscope.datasets.digits import Digits
from tauscope.datasets.source import DatasetError, ImageSource, Split, slices
from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.errors import FieldProblem, SpecError

__all__ = ["DATASETS", "DatasetError", "ImageSource", "Split", "dataset_problems", "dataset_views", "find_dataset", "load_split"]

_SOURCES: tuple[ImageSource, ...] = (Digits(), CelebA())
DATASETS = {source.name: source for source in _SOURCES}


def find_dataset(name: str) -> ImageSource:
    """The registered data set of that name.

    Raises:
        SpecError: listing the registered names.
    """
    if name not in DATASETS:
        raise SpecError.single("dataset.name", f"there is no data set {name!r}", f"Choose from {', '.join(DATASETS)}")
    return DATASETS[name]


def load_split(spec: DatasetSpec) -> Split:
    """Load the training slice and the held-out images that the spec names.

    Raises:
        DatasetError: if the data are not there, or too few; it says what is missing and what to do.
    """
    return find_dataset(spec.name).load(spec)


def dataset_problems(spec: DatasetSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of loading this split here, found without reading an image."""
    try:
        source = find_dataset(spec.name)
    except SpecError as error:
        return error.problems
    lack = source.missing(spec.path)
    if lack:
        return (FieldProblem("dataset.path", f"{spec.name} is not on this machine", lack),)
    try:
        slices(source.count(spec.path), spec)
    except DatasetError as error:
        return (FieldProblem("dataset.n_train", error.message, error.remedy),)
    return ()


def dataset_views() -> tuple[DatasetView, ...]:
    """Every data set as pages show it."""
    return tuple(
        DatasetView(
            name=source.name,
            description=source.description,
            size=source.native_size,
            n_images=source.n_images,
            licence=source.licence,
            source=source.origin,
            available=not source.missing(None),
            remedy=source.missing(None),
        )
        for source in DATASETS.values()
    )
