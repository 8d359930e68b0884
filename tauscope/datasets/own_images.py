"""What all sources of a user's own images have in common: the card, and that a place which cannot be opened says why."""

import re
from abc import ABC, abstractmethod
from pathlib import Path

from tauscope.datasets.fixed_order import FixedRandomOrder
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.source import DatasetError

_HUB_ID = re.compile(r"[\w-][\w.-]*/[\w.-]+")


class OwnImages(ABC):
    """A source whose images are wherever ``dataset.path`` says; each format is a subclass."""

    name: str
    description: str
    layouts: tuple[str, ...]
    native_size = "any, resized"
    n_images: int | None = None
    coloured = True
    labelled: bool | None = None
    licence = "that of your images"
    origin = "your own files, named by dataset.path"
    attribution = "as the owner of the images asks"
    on_hub = False

    @abstractmethod
    def read(self, path: Path) -> ImageList:
        """The images in the order of their files.

        Raises:
            DatasetError: with what was expected and what was found.
        """

    def missing(self, path: str | None) -> str:
        """What keeps the place from being opened, with the remedy."""
        if path is None:
            return f"Set dataset.path to one of: {'; '.join(self.layouts)}"
        try:
            self.open(path)
        except DatasetError as error:
            return f"{error.message}. {error.remedy}"
        return ""

    def open(self, path: str | None) -> ImageList:
        """The images in one fixed random order, for files are often sorted by class.

        Raises:
            DatasetError: if the place holds something else; it shows what.
        """
        if path is None:
            raise DatasetError(f"{self.name} needs the place of your images", self.missing(None))
        try:
            place = Path(path).expanduser()
            if "://" in path:
                raise DatasetError(
                    f"{path} is an address, not a place on this machine",
                    "Fetch what is there and name where it lies. A run never fetches data",
                )
            if not place.exists():
                raise DatasetError(f"{place} does not exist on this machine", self._remedy_of_absence(path))
            return FixedRandomOrder(self.read(place))
        except (OSError, RuntimeError) as error:  # No right to read it, an impossible name, the home of nobody.
            remedy = f"Look whether the user that runs Tauscope can read it, or set dataset.path to another place. {self.missing(None)}"
            raise DatasetError(f"{path} cannot be read: {error}", remedy) from error

    def _remedy_of_absence(self, path: str) -> str:
        if self.on_hub and _HUB_ID.fullmatch(path):
            return f"If {path} is a data set of the Hugging Face hub, run: tauscope datasets fetch {path} FOLDER. A run never fetches data"
        return self.missing(None)
