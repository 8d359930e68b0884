"""Images in parquet files as the Hugging Face Hub has them: a column of encoded images, and one of classes."""

from bisect import bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8
from numpy import ndarray

from tauscope.datasets.decoding import decode_image
from tauscope.datasets.fingerprint import fingerprint_files
from tauscope.datasets.image_list import UnreadableImageError
from tauscope.datasets.source import DatasetError

IMAGE_COLUMNS, LABEL_COLUMNS = ("image", "img"), ("label", "labels", "fine_label")


class ParquetImages:
    """An ``ImageList`` over the rows of files in their order; one row group is in memory at a time.

    Raises:
        DatasetError: if a file is no parquet file, or has no column of images.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [_File(file) for file in files]
        self._ends = list(accumulate(len(file) for file in self._files))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def picture(self, index: int) -> UInt8[ndarray, "height width channel"]:
        file, row = self._locate(index)
        try:
            content = file.content(row)
        except (OSError, ValueError, KeyError) as error:
            raise UnreadableImageError(self.place(index), str(error)) from error
        return decode_image(content, place=self.place(index))

    def place(self, index: int) -> str:
        file, row = self._locate(index)
        return f"row {row} of {file.path}"

    def labels(self) -> Int[ndarray, " image"] | None:
        found = [labels for file in self._files if (labels := file.labels()) is not None]
        return np.concatenate(found) if found and len(found) == len(self._files) else None

    def fingerprint(self) -> str:
        files = [file.path for file in self._files]
        return fingerprint_files(files, root=files[0].parent, kind="parquet 1")

    def _locate(self, index: int) -> tuple["_File", int]:
        part = bisect_right(self._ends, index)
        return self._files[part], index - (self._ends[part - 1] if part else 0)


class _File:
    """One parquet file."""

    def __init__(self, path: Path) -> None:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile

        self.path = path
        try:
            self._file = ParquetFile(path)
        except (ArrowException, OSError) as error:
            raise DatasetError(f"{path} cannot be read as a parquet file: {error}", "Replace it by an intact copy") from error
        names = self._file.schema_arrow.names
        self._image = next((name for name in IMAGE_COLUMNS if name in names), None)
        self._label = next((name for name in LABEL_COLUMNS if name in names), None)
        if self._image is None:
            expected = " or ".join(IMAGE_COLUMNS)
            raise DatasetError(f"{path} has the columns {', '.join(names)} and none called {expected}", "Rename the column of images")
        self._held: tuple[int, list[Any]] = (-1, [])

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    @cached_property
    def _group_ends(self) -> list[int]:
        metadata = self._file.metadata
        return list(accumulate(metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)))

    def content(self, row: int) -> bytes | Path:
        """The encoded image of a row, or the file that the row names.

        Raises:
            ValueError: if the row has neither.
        """
        group = bisect_right(self._group_ends, row)
        if self._held[0] != group:
            self._held = (group, self._read_group(group))
        value = self._held[1][row - (self._group_ends[group - 1] if group else 0)]
        if isinstance(value, dict):
            value = value.get("bytes") or self._beside(value.get("path"))
        if not isinstance(value, (bytes, Path)):
            raise ValueError("the row holds no image")
        return value

    def _read_group(self, group: int) -> list[Any]:
        from pyarrow import ArrowException

        try:
            return self._file.read_row_group(group, columns=[self._image])[self._image].to_pylist()
        except (ArrowException, OSError) as error:
            raise DatasetError(f"{self.path} is damaged: {error}", "Replace it by an intact copy") from error

    def labels(self) -> Int[ndarray, " image"] | None:
        from pyarrow.types import is_integer

        if self._label is None:
            return None
        column = self._file.read(columns=[self._label])[self._label]
        return np.asarray(column.to_numpy()).astype(np.int64) if is_integer(column.type) and not column.null_count else None

    def _beside(self, path: str | None) -> Path | None:
        """A file below the folder of the table; a table does not reach out of it."""
        if path is None:
            return None
        folder = self.path.parent.resolve()
        file = (folder / path).resolve()
        if not file.is_relative_to(folder):
            raise ValueError(f"it names {path}, which is outside {folder}")
        return file
