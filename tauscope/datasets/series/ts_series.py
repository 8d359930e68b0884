"""Recordings out of .ts files, the text format of the UEA and UCR archives and of sktime: a line each, colons between channels."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.datasets.packaged import packaged_file
from tauscope.datasets.series.cells import MISSING
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

_NOT_READ = {"@timestamps true": "holds time stamps", "@targetlabel true": "is of regression"}


class SktimeSet:
    """A multivariate set that sktime ships: found in the installed package, or in the folder that ``dataset.path`` names.

    Args:
        problem: its name in the archive.
        description: what was recorded.
        licence: what is said of it.
    """

    def __init__(self, problem: str, description: str, licence: str, attribution: str) -> None:
        self._problem = problem
        self.name = problem.lower()
        self.description, self.licence, self.attribution = description, licence, attribution
        self.origin = f"{problem}_TRAIN.ts and {problem}_TEST.ts in the Python package sktime, from the UEA archive"

    def missing(self, path: str | None) -> str:
        """The files come with sktime."""
        if len(self._files(path)) == 2:
            return ""
        return (
            "Install sktime, which ships the files: pip install --no-deps sktime"
            if path is None
            else f"No {self._problem}_TRAIN.ts at {path}"
        )

    def open(self, spec: SeriesSpec) -> RawSeries:
        """The recordings of both files, those to train on first, as the archive parts them."""
        files = self._files(spec.path)
        if len(files) < 2:
            raise DatasetError(f"{self._problem} is not there", self.missing(spec.path))
        return read_ts(files, spec)

    def _files(self, path: str | None) -> list[Path]:
        names = [f"{self._problem}_{part}.ts" for part in ("TRAIN", "TEST")]
        if path is not None:
            return [file for name in names if (file := Path(path).expanduser() / name).is_file()]
        return [found for name in names if (found := packaged_file("sktime", f"datasets/data/{self._problem}/{name}"))]


def read_ts(files: Sequence[Path], spec: SeriesSpec) -> RawSeries:
    """All recordings one after the other; no window reaches from one into the next.

    Raises:
        DatasetError: if a file is no such file, or its recordings differ in their channels; names line and channel.
    """
    found = [(line, recording) for file in files for line, recording in _recordings(file)]
    where = " and ".join(file.name for file in files)
    if len({len(recording) for _, recording in found}) != 1:
        raise DatasetError(f"{where}: its recordings do not have one number of channels", "Name files of one set")
    names = [f"dim_{channel}" for channel in range(len(found[0][1]))]
    absent = [name for name in spec.channels or () if name not in names]
    if absent:
        raise DatasetError(f"{where} has no channel {absent[0]!r}", f"Choose from {', '.join(names)}", field="dataset.channels")
    channels = spec.channels or tuple(names)
    lengths = [recording.shape[1] for _, recording in found]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
    return RawSeries(
        np.concatenate([recording for _, recording in found], axis=1).T[:, [names.index(name) for name in channels]],
        channels,
        None,
        np.repeat([line for line, _ in found], lengths),
        where,
        digest,
        remarks=(f"{len(found):,} recordings of {_said(lengths)} steps; no window reaches from one into the next",),
        recordings=np.repeat(np.arange(len(found)), lengths),
    )


def _said(lengths: Sequence[int]) -> str:
    return f"{min(lengths):,}" if min(lengths) == max(lengths) else f"{min(lengths):,} to {max(lengths):,}"


def _recordings(file: Path) -> list[tuple[int, Float[ndarray, "channel step"]]]:
    """Each with its line."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{file} cannot be read: {error}", "Name an intact .ts file") from error
    head = [line.strip().lower() for line in lines if line.startswith("@")]
    why = next((words for line, words in _NOT_READ.items() if line in head), None)
    if "@data" not in head or why:
        raise DatasetError(f"{file.name} {why or 'has no line @data'}", "Save the series as .csv or .npz")
    begin = next(place for place, line in enumerate(lines, start=1) if line.strip().lower() == "@data")
    labelled = any(line.startswith("@classlabel true") for line in head)
    told = [(number, line) for number, line in enumerate(lines[begin:], start=begin + 1) if line.strip()]
    if not told:
        raise DatasetError(f"{file.name} has no recording", "Name an intact .ts file")
    return [(number, _recording(line.split(":")[: -1 if labelled else None], number, file.name)) for number, line in told]


def _recording(columns: Sequence[str], line: int, where: str) -> Float[ndarray, "channel step"]:
    values = [[_number(cell, line, channel, where) for cell in column.split(",")] for channel, column in enumerate(columns)]
    if len({len(column) for column in values}) != 1:
        told = ", ".join(str(len(column)) for column in values)
        raise DatasetError(f"row {line} of {where}: its channels have {told} steps", "Give every channel of a recording as many")
    return np.array(values)


def _number(cell: str, line: int, channel: int, where: str) -> float:
    try:
        value = float("nan") if cell.strip().lower() in MISSING else float(cell)
    except ValueError:
        value = float("inf")
    if np.isinf(value):
        raise DatasetError(
            f"row {line}, column dim_{channel} of {where} holds {cell.strip()[:40]!r}, which is no number", "Correct the cell"
        )
    return value
