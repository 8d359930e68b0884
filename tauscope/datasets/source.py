"""The contract of a data set, and the slices that a run takes of it."""

from typing import NamedTuple, Protocol

from tauscope.datasets.image_list import ImageList
from tauscope.datasets.layout import printable
from tauscope.specs.dataset import DatasetSpec


class DatasetError(Exception):
    """The data a spec asks for cannot be had; ``field`` of the spec is at fault, and ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str, *, field: str = "dataset.path") -> None:
        self.message = printable(message)
        self.remedy = printable(remedy)
        super().__init__(self.message)
        self.field = field


class ImageSource(Protocol):
    """One data set: its card, and how it is opened."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def native_size(self) -> str: ...
    @property
    def n_images(self) -> int | None:
        """How many images it has wherever it is, or ``None`` where only the user's copy tells."""
        ...

    @property
    def coloured(self) -> bool:
        """Whether its images have colour; ``dataset.colour`` is refused of those that do not."""
        ...

    @property
    def labelled(self) -> bool | None:
        """Whether its images have labels, or ``None`` where only the user's copy tells; without, ``network.classes`` is refused."""
        ...

    @property
    def licence(self) -> str: ...
    @property
    def origin(self) -> str:
        """Where the images come from, as a reference would have it."""
        ...

    @property
    def attribution(self) -> str:
        """What whoever shows the images or results on them must or should say; empty where nothing is asked."""
        ...

    @property
    def layouts(self) -> tuple[str, ...]:
        """What ``dataset.path`` may be, each in a few words; empty where no path is taken."""
        ...

    def missing(self, path: str | None) -> str:
        """What is missing on this machine and what to do, or an empty text; found without reading an image."""
        ...

    def open(self, path: str | None) -> ImageList:
        """The images, in an order that never depends on the machine.

        Raises:
            DatasetError: if they are not there, or are not laid out as any of ``layouts``.
        """
        ...


def check_colour(source: ImageSource, spec: DatasetSpec) -> None:
    """Refuse to make colour of grey.

    Raises:
        DatasetError: if the spec asks for colour and the source has none.
    """
    if spec.colour and not source.coloured:
        raise DatasetError(f"the images of {source.name} are grey", "Set dataset.colour to false", field="dataset.colour")


def check_labels(name: str, labelled: bool | None) -> None:
    """Refuse to tell a network labels that images do not have.

    Args:
        name: of the data set.
        labelled: whether it has labels; ``None`` where that is not known yet, which is no reason to refuse.

    Raises:
        DatasetError: if it has none.
    """
    if labelled is False:
        raise DatasetError(f"{name} has no labels", "Leave network.classes out, or name a labelled data set", field="network.classes")


class Slices(NamedTuple):
    """The disjoint parts of one ordered list that a run is given."""

    train: slice
    calibration: slice
    held_out: slice


def slices(n_images: int, spec: DatasetSpec) -> Slices:
    """Training slice [subset n, (subset + 1) n), held-out images, the last of all, and before these the calibration images.

    A source's own division into training and test files is not followed: one ordered list lets any number be held out and any
    number of disjoint subsets be trained on, and the reference is disjoint from every one of them either way.

    Raises:
        DatasetError: if the training slice reaches into the others; says how many there are and were asked.
    """
    available = n_images - spec.n_held_out - spec.n_calibration
    end = (spec.subset + 1) * spec.n_train
    if end > available:
        calibration = f" and {spec.n_calibration} are for calibration" if spec.n_calibration else ""
        raise DatasetError(
            f"{spec.name} has {n_images} images, of which {spec.n_held_out} are held out{calibration}; "
            f"subset {spec.subset} of n_train = {spec.n_train} needs the first {end}",
            f"Ask for at most {max(available, 0)} training images in all: lower dataset.n_train, dataset.subset"
            f"{', dataset.n_calibration' if spec.n_calibration else ''} or dataset.n_held_out",
            field="dataset.n_train",
        )
    first_held_out = n_images - spec.n_held_out
    return Slices(slice(end - spec.n_train, end), slice(available, first_held_out), slice(first_held_out, n_images))
