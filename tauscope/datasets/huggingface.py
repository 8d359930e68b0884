"""A Hugging Face data set on this machine: parquet files, what ``save_to_disk`` left, or an image folder with metadata.

Nothing is fetched here: ``tauscope datasets fetch`` brings a data set of the hub to a folder, once, and says so.
"""

import csv
import json
import re
from pathlib import Path, PurePosixPath
from typing import Any

from tauscope.datasets.image_folder import SPLITS, Arrangement, TreeImages, label, open_tree
from tauscope.datasets.image_list import ImageList
from tauscope.datasets.image_tables import ArrowTable, ImageTable, ParquetTable, TableImages
from tauscope.datasets.layout import layout_message
from tauscope.datasets.natural_order import natural_key
from tauscope.datasets.own_images import OwnImages
from tauscope.datasets.source import DatasetError

METADATA = ("metadata.csv", "metadata.jsonl")
_LABELS = ("label", "class", "target")


class HuggingFace(OwnImages):
    """One list of all splits: train, then validation, then test."""

    name = "huggingface"
    description = "A Hugging Face data set on this machine: parquet, save_to_disk, or an image folder with metadata"
    layouts = (
        "a .parquet file or a folder of them",
        "a folder that save_to_disk wrote",
        "a folder of images with metadata.csv or metadata.jsonl",
    )
    on_hub = True

    def read(self, path: Path) -> ImageList:
        """The rows of all files, natural order of their names."""
        if path.is_file() and path.suffix.lower() == ".parquet":
            return TableImages([ParquetTable(path)], root=path.parent, words="parquet file")
        if path.is_dir():
            for read in (_saved, _parquet, _with_metadata):
                found = read(path)
                if found is not None:
                    return found
        raise DatasetError(layout_message(path, self.layouts), "Name the folder of the data set itself")


def fetch(hub_id: str, folder: Path, *, revision: str | None = None) -> None:
    """Bring a data set of the hub to a folder, as ``save_to_disk`` writes it.

    Raises:
        DatasetError: if the optional package ``datasets`` is not installed, the folder holds something, or the hub does not give it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DatasetError(f"{folder} is there already", "Name a folder that does not exist yet, or an empty one")
    try:
        import datasets
    except ImportError as error:
        raise DatasetError("the package datasets is not installed", "Install it: pip install 'tauscope[hub]'") from error
    try:
        datasets.load_dataset(hub_id, revision=revision).save_to_disk(str(folder))
    except (OSError, ValueError) as error:  # Its own errors are of these kinds, those of the network included.
        raise DatasetError(f"the hub did not give {hub_id}: {error}", "Check the name at huggingface.co, and the connection") from error


def _saved(path: Path) -> TableImages | None:
    if (path / "dataset_dict.json").is_file():
        splits = _document(path / "dataset_dict.json").get("splits", [])
        folders = [path / PurePosixPath(name).name for name in sorted(splits, key=_split_rank)]
    elif (path / "state.json").is_file():
        folders = [path]
    else:
        return None
    tables = [ArrowTable(file) for folder in folders for file in _arrow_files(folder)]
    return TableImages(tables, root=path, words="Hugging Face data set of save_to_disk")


def _arrow_files(folder: Path) -> list[Path]:
    state = _document(folder / "state.json")
    if state.get("_indices_data_files"):
        raise DatasetError(
            f"{folder} holds a selection of rows that is not written out", "Save it again: flatten_indices().save_to_disk(...)"
        )
    named = [item.get("filename") for item in state.get("_data_files", []) if isinstance(item, dict)]
    files = [folder / PurePosixPath(str(name)).name for name in named]
    lost = next((file for file in files if not file.is_file()), None)
    if lost is not None or not files:
        raise DatasetError(f"{lost or folder / '*.arrow'} is missing, of the files that state.json names", "Copy the whole folder again")
    return files


def _document(file: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, ValueError, TypeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}", "Copy the whole folder of save_to_disk again") from error


def _parquet(path: Path) -> TableImages | None:
    names = [name for name in open_tree(path).names if name.endswith(".parquet")]
    if not names:
        return None
    tables: list[ImageTable] = [ParquetTable(path / name) for name in sorted(names, key=_file_rank)]
    return TableImages(tables, root=path, words=f"{len(names)} parquet file{'s' * (len(names) > 1)}")


def _file_rank(name: str) -> tuple[int, Any]:
    """Hugging Face names its files data/train-00000-of-00002.parquet, or train/0000.parquet."""
    words = re.split(r"[/._-]", name.lower())
    return min((SPLITS[word] for word in words if word in SPLITS), default=0), natural_key(name)


def _split_rank(name: str) -> tuple[int, Any]:
    return SPLITS.get(name.lower(), 0), natural_key(name)


def _with_metadata(path: Path) -> TreeImages | None:
    tree = open_tree(path)
    files = sorted((name for name in tree.names if PurePosixPath(name).name in METADATA), key=_file_rank)
    if not files:
        return None
    rows = [(PurePosixPath(file).parent, row) for file in files for row in _rows(path / file)]
    there = set(tree.names)
    names = tuple(_named_file(folder, row, there, path) for folder, row in rows)
    words = "image folder with metadata"
    key = next((key for key in _LABELS if all(str(row.get(key, "")) for _, row in rows)), None)
    arrangement = label(names, [str(row[key]) for _, row in rows], words) if key else Arrangement(names, (), None, words)
    return TreeImages(tree, arrangement)


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines)) if file.suffix == ".csv" else [dict(json.loads(line)) for line in lines if line.strip()]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise DatasetError(f"{file} cannot be read: {error}", "Write it as a table with the column file_name") from error
    if not rows or "file_name" not in rows[0]:
        raise DatasetError(
            f"{file} has no column file_name, or no row", "Name each image in a column file_name, relative to the file's folder"
        )
    return rows


def _named_file(folder: PurePosixPath, row: dict[str, Any], there: set[str], path: Path) -> str:
    name = str(folder / str(row.get("file_name")))
    if name not in there:
        raise DatasetError(f"{path} has no image {name}, which its metadata names", "Put the file there or take the row out")
    return name
