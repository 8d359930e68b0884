"""A user's own images in whatever format they are: the path says which source reads them."""

from pathlib import Path, PurePosixPath

from tauscope.datasets import arrays, tensor
from tauscope.datasets.arrays import Arrays
from tauscope.datasets.file_trees import FolderTree
from tauscope.datasets.huggingface import METADATA, HuggingFace
from tauscope.datasets.image_bytes import SUFFIXES
from tauscope.datasets.image_folder import STRANGERS, ImageFolder, is_image
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.layout import layout_message
from tauscope.datasets.own_images import OwnImages
from tauscope.datasets.source import DatasetError
from tauscope.datasets.tensor import SavedTensor

FORMATS: tuple[OwnImages, ...] = (ImageFolder(), Arrays(), SavedTensor(), HuggingFace())
_FOLDER, _ARRAYS, _TENSOR, _TABLES = FORMATS
_BY_SUFFIX = {".zip": _FOLDER, ".parquet": _TABLES} | dict.fromkeys(arrays.SUFFIXES, _ARRAYS) | dict.fromkeys(tensor.SUFFIXES, _TENSOR)

# What people call the formats.
ALIASES = {
    "npy": "arrays",
    "npz": "arrays",
    "pt": "tensor",
    "parquet": "huggingface",
    "save_to_disk": "huggingface",
    "imagefolder": "huggingface",
}


class OwnImagesOfAnyFormat(OwnImages):
    """Recognises the format; ``image_folder``, ``arrays``, ``tensor`` and ``huggingface`` are for whoever wants one and no other."""

    name = "images"
    description = "Your own images: a folder, a zip archive, a NumPy or PyTorch file, or a Hugging Face data set; the format is recognised"
    layouts = ("a folder or zip archive of images", "a .npy, .npz, .pt or .parquet file", "a Hugging Face data set on this machine")
    on_hub = True

    def read(self, path: Path) -> ImageList:
        """As the source reads it that the format belongs to."""
        return recognise(path).read(path)


OWN_IMAGES: tuple[OwnImages, ...] = (OwnImagesOfAnyFormat(), *FORMATS)


def recognise(path: Path) -> OwnImages:
    """The source that reads what is at a path.

    Raises:
        DatasetError: if none does; it names all formats and shows what was found.
    """
    if path.is_dir():
        return _TABLES if _is_table_folder(path) else _FOLDER
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        raise DatasetError(f"{path} is one image", f"Name the folder: {path.parent}")
    if suffix not in _BY_SUFFIX:
        remedy = STRANGERS.get(suffix, "Save the images in one of these formats; PNG files in a folder always work")
        raise DatasetError(layout_message(path, OwnImagesOfAnyFormat.layouts), remedy)
    return _BY_SUFFIX[suffix]


def _is_table_folder(path: Path) -> bool:
    if (path / "dataset_dict.json").is_file() or (path / "state.json").is_file():
        return True
    names = FolderTree(path).names
    if any(name.endswith(METADATA) and PurePosixPath(name).name in METADATA for name in names):
        return True
    return any(name.endswith(".parquet") for name in names) and not any(map(is_image, names))
