"""Images in the rows of Arrow and parquet tables, as Hugging Face writes them: a column of {bytes, path}, or of bytes."""

import json
import os
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.image_bytes import Decoded, decode
from tauscope.datasets.image_folder import number_classes
from tauscope.datasets.image_list import UnreadableImageError
from tauscope.datasets.source import DatasetError

_IMAGES = ("image", "images", "img", "pixel_values", "jpg", "png")
_LABELS = ("label", "labels", "fine_label", "class", "target", "y")
_ROWS = 256
_DAMAGE = (pa.ArrowException, OSError, ValueError)  # the last of names that are no UTF-8


class ImageTable(Protocol):
    """One file of rows."""

    @property
    def path(self) -> Path: ...
    @property
    def schema(self) -> Any: ...
    @property
    def names(self) -> list[str]:
        """Of the columns."""
        ...

    @property
    def n_rows(self) -> int: ...

    def column(self, name: str) -> Iterator[Any]:
        """The column's parts, as Arrow arrays, in the order of the rows."""
        ...


class ParquetTable:
    """A parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with pq.ParquetFile(path) as file:
                self.schema, self.n_rows = file.schema_arrow, file.metadata.num_rows
            self.names = self.schema.names
        except _DAMAGE as error:
            raise DatasetError(f"{path} is not a whole parquet file: {error}", "Copy or fetch it again") from error

    def column(self, name: str) -> Iterator[Any]:
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(_ROWS, columns=[name]):
                yield batch.column(0)


class ArrowTable:
    """A file of record batches, as ``save_to_disk`` writes them, mapped into memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._table = _read_batches(path)
            self.schema, self.n_rows = self._table.schema, self._table.num_rows
            self.names = self.schema.names
        except _DAMAGE as error:
            raise DatasetError(f"{path} is not a whole Arrow file: {error}", "Write it again with save_to_disk") from error

    def column(self, name: str) -> Iterator[Any]:
        for chunk in self._table.column(name).chunks:
            for start in range(0, len(chunk), _ROWS):
                yield chunk.slice(start, _ROWS)


def _read_batches(path: Path) -> Any:
    try:
        return pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()


class TableImages:
    """An ``ImageList`` over the rows of several tables.

    Rows are asked for in any order, and a table gives them whole parts at a time: the first picture copies the bytes of all of them,
    as they are, to a temporary file without a name, which goes with the list.
    """

    def __init__(self, tables: Sequence[ImageTable], *, root: Path, words: str) -> None:
        self._tables = tables
        self._root = root
        self.words = words
        schema = tables[0].schema
        _refuse_other_columns(tables)
        self._column = _image_column(schema, tables[0].path)
        self._features = _features(schema)
        self._starts = np.cumsum([0, *(table.n_rows for table in tables)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        return self.decoded(index).pixels

    def decoded(self, index: int) -> Decoded:
        """The picture with its stored mode and what was done to it; raises ``UnreadableImageError``."""
        try:
            return decode(self._bytes(index))
        except ValueError as error:
            raise UnreadableImageError(self.place(index), str(error)) from error

    def place(self, index: int) -> str:
        number = int(np.searchsorted(self._starts, index, side="right")) - 1
        return f"row {index - int(self._starts[number])} of {self._tables[number].path}"

    @property
    def classes(self) -> tuple[str, ...]:
        return self._classes[0]

    def labels(self) -> Int[ndarray, " image"] | None:
        return self._classes[1]

    def fingerprint(self) -> str:
        return fingerprint_files([table.path for table in self._tables], root=self._root, kind="own tables 1")

    @cached_property
    def _classes(self) -> tuple[tuple[str, ...], Int[ndarray, " image"] | None]:
        schema = self._tables[0].schema
        name = next((name for name in _LABELS if name in schema.names), None)
        if name is None:
            return (), None
        values = [value for table in self._tables for part in _parts(table, name) for value in part.to_pylist()]
        if all(isinstance(value, str) for value in values):
            return number_classes(values)
        if not all(isinstance(value, int) for value in values):
            return (), None  # Real numbers, several labels an image or gaps are no classes; the images are used without.
        return tuple(self._features.get(name, {}).get("names") or ()), np.array(values, np.int64)

    def _bytes(self, index: int) -> bytes:
        descriptor, ends, places = self._spooled
        place = places[index]
        if place is not None:
            return _read_beside(self._root, place)
        start = int(ends[index - 1]) if index else 0
        return os.pread(descriptor, int(ends[index]) - start, start)

    @cached_property
    def _spooled(self) -> tuple[int, Int[ndarray, " image"], list[str | None]]:
        """The descriptor of a file of all bytes, where each image's end, and the paths of those whose bytes are elsewhere."""
        ends, places = [], list[str | None]()
        with tempfile.TemporaryFile() as file:
            for content, path in self._contents():
                file.write(content)
                ends.append(file.tell())
                places.append(None if content else path)
            file.flush()
            descriptor = os.dup(file.fileno())
        # The file has no name: it is gone when the list is.
        weakref.finalize(self, os.close, descriptor)
        return descriptor, np.array(ends, np.int64), places

    def _contents(self) -> Iterator[tuple[bytes, str | None]]:
        for table in self._tables:
            for part in _parts(table, self._column):
                yield from map(_content, part)


def parquet_images(files: Sequence[Path]) -> TableImages:
    """The images of parquet files in one folder, in their order.

    Raises:
        DatasetError: if a file is no parquet file, or has no column of images.
    """
    return TableImages([ParquetTable(file) for file in files], root=files[0].parent, words="parquet files")


def _refuse_other_columns(tables: Sequence[ImageTable]) -> None:
    first = tables[0]
    other = next((table for table in tables if table.names != first.names), None)
    if other is not None:
        raise DatasetError(
            f"{other.path} has other columns ({', '.join(other.names)}) than {first.path} ({', '.join(first.names)})",
            "Name a folder with the tables of one data set",
        )


def _parts(table: ImageTable, column: str) -> Iterator[Any]:
    try:
        n_rows = 0
        for part in table.column(column):
            part.validate(full=True)
            n_rows += len(part)
            yield part
        if n_rows != table.n_rows:
            raise ValueError(f"{table.n_rows:,} rows were to come and {n_rows:,} are there")
    except _DAMAGE as error:
        raise DatasetError(f"{table.path} is damaged: {error}", "Copy or fetch it again") from error


def _image_column(schema: Any, path: Path) -> str:
    marked = [name for name, feature in _features(schema).items() if isinstance(feature, dict) and feature.get("_type") == "Image"]
    known = [name for name in (*marked, *_IMAGES) if name in schema.names]
    shaped = [field.name for field in schema if _holds_files(field.type)]
    found = next((name for name in [*known, *shaped] if name in shaped), None)
    if found is None:
        columns = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise DatasetError(
            f"{path} has no column of images: its columns are {columns}",
            "Store encoded images (PNG or JPEG) as {bytes, path} or as bytes in a column named image; put plain pixels into a .npy file",
        )
    return found


def _holds_files(kind: Any) -> bool:
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 or kind.get_field_index("path") >= 0
    return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)


def _features(schema: Any) -> dict[str, Any]:
    """What ``datasets`` writes about the columns into the schema's metadata."""
    try:
        return dict(json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"])
    except (KeyError, ValueError, TypeError):
        return {}


def _content(value: Any) -> tuple[bytes, str | None]:
    held = value.as_py()
    if isinstance(held, dict):
        return held.get("bytes") or b"", held.get("path") or None
    return held or b"", None


def _read_beside(root: Path, name: str) -> bytes:
    """The file that a row names instead of holding bytes, which must lie below the data set's folder."""
    place = (root / name).resolve()
    if not place.is_relative_to(root.resolve()):
        raise ValueError(f"it names {name}, which is outside of {root}")
    try:
        return place.read_bytes()
    except OSError as error:
        raise ValueError(f"it names {name}, which is not there: {error.strerror}") from error
