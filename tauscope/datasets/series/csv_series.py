"""A series out of a .csv file: one row a time, one column a channel, names in the first row."""

import csv
import hashlib
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import numpy as np

from tauscope.datasets.series.cells import are_numbers, numbers, times
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

TIME_NAMES = ("time", "timestamp", "datetime", "date", "time_hour", "datetime_gmt")
_DELIMITERS = ",;\t"
_FIRST_LINE = 2  # Of the file, under the names.


def read_csv(path: Path, spec: SeriesSpec) -> RawSeries:
    """The columns that the spec names, or all that hold numbers where it names none.

    Raises:
        DatasetError: for a cell that is no number, rows of unequal length, a column that is not there, a column of text, or a
            single column that the spec does not name.
    """
    data = path.read_bytes()
    columns = _columns(data, path.name)
    time = _time_column(columns, spec, path.name)
    channels = _channels(columns, time, spec, path.name)
    values = np.stack([numbers(columns[name], name, path.name) for name in channels], axis=1)
    instants, dated = times(columns[time], time, path.name) if time else (None, False)
    rows = np.arange(_FIRST_LINE, _FIRST_LINE + len(values))
    return RawSeries(values, channels, instants, rows, path.name, hashlib.sha256(data).hexdigest(), time, dated)


def _columns(data: bytes, where: str) -> dict[str, list[str]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"{where} is no text in UTF-8: byte {error.start}", "Save it as a .csv file in UTF-8") from error
    first = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first.count)
    lines = [line for line in csv.reader(StringIO(text), delimiter=delimiter) if line]
    if len(lines) < 2:
        raise DatasetError(f"{where} has {len(lines)} rows", "Give names in the first row and one row a time below it")
    names = [name.strip() for name in lines[0]]
    _check_names(names, where)
    for number, line in enumerate(lines[1:], start=_FIRST_LINE):
        if len(line) != len(names):
            raise DatasetError(
                f"row {number} of {where} has {len(line)} cells where row 1 names {len(names)} columns", "Correct that row, or remove it"
            )
    return {name: list(cells) for name, cells in zip(names, zip(*lines[1:], strict=True), strict=True)}


def _check_names(names: Sequence[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DatasetError(f"row 1 of {where} names {', '.join(map(repr, twice))} more than once", "Give each column a name of its own")
    if all(_is_number(name) for name in names):
        raise DatasetError(f"row 1 of {where} holds numbers ({', '.join(names[:4])}) and no names", "Name the columns in the first row")


def _is_number(text: str) -> bool:
    return are_numbers([text])


def _time_column(columns: Mapping[str, list[str]], spec: SeriesSpec, where: str) -> str:
    if spec.time is not None:
        if spec.time not in columns:
            raise DatasetError(f"{where} has no column {spec.time!r}", f"Choose from {', '.join(columns)}", field="dataset.time")
        return spec.time
    known = [name for name in columns if name.lower() in TIME_NAMES and name not in (spec.channels or ())]
    return known[0] if known else ""


def _channels(columns: Mapping[str, list[str]], time: str, spec: SeriesSpec, where: str) -> tuple[str, ...]:
    others = tuple(name for name in columns if name != time)
    if spec.channels is not None:
        absent = [name for name in spec.channels if name not in columns]
        if absent:
            raise DatasetError(f"{where} has no column {absent[0]!r}", f"Choose from {', '.join(others)}", field="dataset.channels")
        return spec.channels
    text = [name for name in others if not are_numbers(columns[name])]
    numeric = [name for name in others if name not in text]
    if text:
        raise DatasetError(
            f"column {text[0]} of {where} holds no number: row {_FIRST_LINE} is {columns[text[0]][0][:40]!r}",
            f"Name the columns to model in dataset.channels, e.g. [{', '.join(numeric)}], or the one of times in dataset.time",
            field="dataset.channels",
        )
    if not numeric:
        raise DatasetError(
            f"{where} has a column of times alone and none of numbers",
            "Add the columns to model, or look whether columns are parted by commas, semicolons or tabs",
            field="dataset.channels",
        )
    if len(numeric) < 2:
        raise DatasetError(
            f"{where} has one column of numbers ({', '.join(numeric)}); a series of several was expected",
            f"If it is to be modelled alone, set dataset.channels to [{', '.join(numeric)}]; else look whether columns are parted by"
            " commas, semicolons or tabs",
            field="dataset.channels",
        )
    return others
