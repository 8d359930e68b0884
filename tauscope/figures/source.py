"""What a figure is drawn from, whether it lies in a results folder or in a service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from tauscope.contracts.curves import Series
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import MetricInfo, Point
from tauscope.specs import KINDS, SpecError
from tauscope.specs.stored import n_train_of, width_of

Number = Literal[2, 3]
WIDTHS_MM = (85, 175)
"""One column and two columns of a paper."""

_NOT_SETTINGS = {"seed", "subset", "n_train", "dataset.n_train", "psi_n"}


@dataclass(frozen=True)
class FigureRun:
    """A run with its curves and onsets; ``setting`` is what singles it out beside n and seed, in words."""

    id: str
    params: Mapping[str, Any]
    spec: Mapping[str, Any]
    state: str
    series: Mapping[str, Series]
    onsets: Mapping[str, Onset]
    metrics: Mapping[str, MetricInfo]

    @property
    def n_train(self) -> int | None:
        """Training points."""
        return n_train_of(self.spec)

    @property
    def points(self) -> str:
        """What it is trained on, in the plural."""
        return KINDS[self.spec["kind"]].POINTS

    @property
    def width(self) -> int | None:
        """Base width W of the network."""
        return width_of(self.spec)

    @property
    def setting(self) -> str:
        """Axis values other than n and seed, e.g. ``width = 32``; empty where there is none."""
        return ", ".join(f"{name} = {value}" for name, value in self.params.items() if name not in _NOT_SETTINGS)


@dataclass(frozen=True)
class Images:
    """Samples in the order of their seeds, beside the nearest training image of each.

    Attributes:
        generated, nearest: uint8, [image, channel, height, width].
        gap_ratio: d1/d2 of each.
    """

    generated: NDArray[np.uint8]
    nearest: NDArray[np.uint8]
    gap_ratio: NDArray[np.float64]


class SampleSource(Protocol):
    """Where the images are."""

    def steps(self, run_id: str) -> tuple[int, ...]:
        """The steps of a run that have samples, increasing."""

    def read(self, run_id: str, step: int, count: int) -> Images:
        """The first ``count`` samples of a checkpoint."""


@dataclass(frozen=True)
class FigureData:
    """An experiment as figures need it; ``date`` is when its numbers were last written, in UTC."""

    experiment_id: str
    name: str
    code_version: str
    date: datetime
    sweep: Mapping[str, Any]
    runs: tuple[FigureRun, ...]
    samples: SampleSource


@dataclass(frozen=True)
class FigureOptions:
    """What the reader may choose.

    Attributes:
        width_mm: 85 or 175.
        exponent: a of the inset over tau / n^a.
        quality: the metric of the quality panel; ``None`` for the one that defines tau_gen.
    """

    width_mm: int = 175
    exponent: float = 1.0
    quality: str | None = None

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn."""
        if self.width_mm not in WIDTHS_MM:
            raise SpecError.single("width", f"{self.width_mm} mm is no column of a paper", "Use 85 for one column or 175 for two")
        if not 0 <= self.exponent <= 3:
            raise SpecError.single("a", f"{self.exponent} is no exponent that time is divided by", "Use 0 to 3")


def series_of(points: Iterable[Point]) -> dict[str, Series]:
    """Points as columns: metric to series, by step."""
    found: dict[str, dict[int, Point]] = {}
    for point in points:
        found.setdefault(point.metric, {})[point.step] = point
    columns = ("step", "value", "low", "high", "count", "reason")
    return {
        metric: Series(**{name: tuple(getattr(by_step[step], name) for step in sorted(by_step)) for name in columns})
        for metric, by_step in found.items()
    }


def points_of(series: Mapping[str, Series]) -> list[Point]:
    """Columns as points, the inverse of ``series_of``."""
    names = tuple(Series.model_fields)
    return [
        Point(metric=metric, **dict(zip(names, row, strict=True)))
        for metric, columns in series.items()
        for row in zip(*(getattr(columns, name) for name in names), strict=True)
    ]


def short_title(info: MetricInfo) -> str:
    """A label with a capital, without what stands in brackets."""
    words = info.label.partition(" (")[0]
    return words[:1].upper() + words[1:]
