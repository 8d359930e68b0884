"""Data sets: one file each and one line in the registry. They yield uint8 images and import no PyTorch."""

from tauscope.contracts.datasets import DatasetView
from tauscope.datasets.celeba import CelebA
from tauscope.datasets.cifar10 import Cifar10
from tauscope.datasets.digits import Digits
from tauscope.datasets.fashion_mnist import FashionMnist
from tauscope.datasets.images import ALIASES, OWN_IMAGES
from tauscope.datasets.mnist5k import Mnist5k
from tauscope.datasets.orl_faces import OrlFaces
from tauscope.datasets.preparing import Progress, unwatched
from tauscope.datasets.registered import place_of
from tauscope.datasets.source import DatasetError, ImageSource, check_colour, check_labels, slices
from tauscope.datasets.split import Split, split_source
from tauscope.specs.dataset import DatasetSpec
from tauscope.specs.errors import FieldProblem, SpecError

__all__ = [
    "DATASETS",
    "DatasetError",
    "ImageSource",
    "Split",
    "check_card",
    "dataset_problems",
    "dataset_views",
    "find_dataset",
    "load_split",
    "source_of",
]

_SOURCES: tuple[ImageSource, ...] = (Digits(), Mnist5k(), FashionMnist(), Cifar10(), CelebA(), OrlFaces(), *OWN_IMAGES)
DATASETS = {source.name: source for source in _SOURCES}


def find_dataset(name: str) -> ImageSource:
    """The registered data set of that name; the name of a file format stands for the source that reads it.

    Raises:
        SpecError: listing the registered names.
    """
    name = ALIASES.get(name, name)
    if name not in DATASETS:
        raise SpecError.single("dataset.name", f"there is no data set {name!r}", _known())
    return DATASETS[name]


def _known() -> str:
    own = "of your own images set dataset.name to images and dataset.path to their place, or: tauscope datasets add NAME PATH --here"
    return f"Choose from {', '.join(DATASETS)}; {own}. A name that was registered with a service is known to that service alone"


def source_of(spec: DatasetSpec) -> ImageSource:
    """The source that reads the data set of a spec, also of one that is registered under a name of its own.

    Raises:
        SpecError: listing the names there are.
    """
    return find_dataset(spec.registered.format if spec.registered else spec.name)


def load_split(spec: DatasetSpec, progress: Progress = unwatched) -> Split:
    """Load the training slice, the calibration and the held-out images that the spec names.

    Where the images are not prepared yet, all of the data set's are, and are kept for the next run; ``progress`` is told.

    Raises:
        DatasetError: if the data are not there, unreadable, or too few; it says what is missing and what to do.
    """
    return split_source(source_of(spec), spec, progress)


def check_card(spec: DatasetSpec, *, labels: bool = False) -> None:
    """Check what can be told without the images, by name, channels, labels and number.

    Args:
        labels: whether the network is to be told them.

    Raises:
        SpecError: if there is no such data set, or it cannot give what is asked.
    """
    source = source_of(spec)
    try:
        check_colour(source, spec)
        if labels:
            check_labels(spec.name, source.labelled)
        if source.n_images is not None:
            slices(source.n_images, spec)
    except DatasetError as error:
        raise SpecError.single(error.field, error.message, error.remedy) from error


def dataset_problems(spec: DatasetSpec, *, labels: bool = False) -> tuple[FieldProblem, ...]:
    """What stands in the way of loading this split here, and its labels if they are asked for, found without decoding an image."""
    try:
        source, place = source_of(spec), place_of(spec)
    except SpecError as error:
        return error.problems
    except DatasetError as error:
        return (FieldProblem(error.field, error.message, error.remedy),)
    lack = source.missing(place)
    if lack:
        return (FieldProblem("dataset.path", f"{spec.name} cannot be had {'from this path' if place else 'on this machine'}", lack),)
    try:
        check_colour(source, spec)
        images = source.open(place)
        slices(len(images), spec)
        if labels:
            check_labels(spec.name, images.labels() is not None)
    except DatasetError as error:
        return (FieldProblem(error.field, error.message, error.remedy),)
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
            attribution=source.attribution,
            coloured=source.coloured,
            layouts=source.layouts,
            available=not source.missing(None),
            remedy=source.missing(None),
        )
        for source in DATASETS.values()
    )
