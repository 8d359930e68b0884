"""The contract of a series, and a user's own."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from tauscope.datasets.series.array_series import read_arrays
from tauscope.datasets.series.csv_series import read_csv
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.series.ts_series import read_ts
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec


class SeriesSource(Protocol):
    """One series: its card, and how it is opened."""

    @property
    def name(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def licence(self) -> str: ...
    @property
    def origin(self) -> str: ...
    @property
    def attribution(self) -> str: ...

    def missing(self, path: str | None) -> str:
        """What is missing on this machine and what to do, or an empty text."""
        ...

    def open(self, spec: SeriesSpec) -> RawSeries:
        """The series as its file has it.

        Raises:
            DatasetError: if it is not there or cannot be read; names row and column.
        """
        ...


_READERS: dict[str, Callable[[Path, SeriesSpec], RawSeries]] = {
    ".csv": read_csv,
    ".tsv": read_csv,
    ".npz": read_arrays,
    ".npy": read_arrays,
    ".ts": lambda file, spec: read_ts([file], spec),
}


class OwnSeries:
    """A file of the user's."""

    name = "series"
    description = (
        "Your own series: a .csv file with names in its first row, a .npz or .npy array [time, channel], or a .ts file of recordings"
    )
    licence = "that of your series"
    origin = "your own file, named by dataset.path"
    attribution = "as the owner of the series asks"

    def missing(self, path: str | None) -> str:
        """A file that can be recognised by its name."""
        if path is None:
            return "Set dataset.path to your .csv, .npz, .npy or .ts file"
        file = Path(path).expanduser()
        if not file.is_file():
            return f"There is no file {file} on this machine; set dataset.path to your .csv, .npz, .npy or .ts file"
        if file.suffix.lower() not in _READERS:
            return f"{file.name} is none of {', '.join(_READERS)}; save the series as one of these"
        return ""

    def open(self, spec: SeriesSpec) -> RawSeries:
        """As the reader of its suffix has it."""
        lack = self.missing(spec.path)
        if spec.path is None or lack:
            raise DatasetError("the series is not there", lack)
        file = Path(spec.path).expanduser()
        try:
            return _READERS[file.suffix.lower()](file, spec)
        except OSError as error:
            raise DatasetError(f"{file} cannot be read: {error}", "Look whether the user that runs Tauscope can read it") from error
