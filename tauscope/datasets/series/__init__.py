"""Time series: one file each and one line in the registry. They yield windows in standard units and import no PyTorch."""

from tauscope.datasets.series.missing import without_gaps
from tauscope.datasets.series.sampling import evenly_sampled
from tauscope.datasets.series.source import OwnSeries, SeriesSource
from tauscope.datasets.series.ts_series import SktimeSet
from tauscope.datasets.series.weather import STATIONS, NycWeather
from tauscope.datasets.series.windows import Windows, WindowSplit, take_windows
from tauscope.datasets.source import DatasetError
from tauscope.specs.errors import FieldProblem, SpecError
from tauscope.specs.series import SeriesSpec

__all__ = ["SERIES", "SeriesSource", "WindowSplit", "Windows", "find_series", "load_windows", "series_problems"]

_SKTIME = (
    SktimeSet(
        "BasicMotions",
        "Four students walking, resting, running and playing badminton with a smart watch: 80 recordings of 10 s at 10 Hz, 6 channels",
        "none is stated in its files",
        "Name the UEA archive (Bagnall and others 2018, arXiv:1811.00075)",
    ),
    SktimeSet(
        "JapaneseVowels",
        "Nine speakers saying two vowels: 640 recordings of 7 to 29 frames, 12 coefficients of linear prediction",
        "none is stated in its files; they are from the UCI archive",
        "Name Kudo, Toyama and Shimbo 1999, Pattern Recognition Letters 20, 1103",
    ),
)
_SOURCES: tuple[SeriesSource, ...] = (*map(NycWeather, STATIONS), *_SKTIME, OwnSeries())
SERIES = {source.name: source for source in _SOURCES}


def find_series(name: str) -> SeriesSource:
    """The registered series of that name.

    Raises:
        SpecError: listing the registered names.
    """
    if name not in SERIES:
        raise SpecError.single("dataset.name", f"there is no series {name!r}", f"Choose from {', '.join(SERIES)}")
    return SERIES[name]


def load_windows(spec: SeriesSpec) -> WindowSplit:
    """The training and held-out windows that the spec names.

    Raises:
        SpecError: if there is no such series.
        DatasetError: if the data are not there or cannot be used as they are; names row and column, and what can be done.
    """
    raw = find_series(spec.name).open(spec)
    return take_windows(without_gaps(evenly_sampled(raw, spec), spec), spec)


def series_problems(spec: SeriesSpec) -> tuple[FieldProblem, ...]:
    """What stands in the way of loading these windows here."""
    try:
        lack = find_series(spec.name).missing(spec.path)
        if lack:
            return (FieldProblem("dataset.path", f"{spec.name} is not on this machine", lack),)
        load_windows(spec)
    except SpecError as error:
        return error.problems
    except DatasetError as error:
        return (FieldProblem(error.field, error.message, error.remedy),)
    return ()
