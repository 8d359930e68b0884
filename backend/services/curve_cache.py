"""Bounded curves of single runs, remembered, and brought up to date with what a run has measured since."""

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Any, NamedTuple

from backend.storage.cursor import Mark
from tauscope.analysis.thinning import thinned

_MAX_BYTES = 64_000_000

SeriesOfRun = dict[str, dict[str, list[Any]]]
"""Metric to columns."""


class CurveKey(NamedTuple):
    """A run, and what was asked of its curves."""

    run_id: str
    metrics: tuple[str, ...] | None
    max_points: int


@dataclass(frozen=True)
class Held:
    """The thinned series of a run as they were at a flush, and the same as JSON."""

    mark: Mark
    series: SeriesOfRun
    answer: bytes


class CurveCache:
    """The least recently used leave first; sizes are those of the JSON."""

    def __init__(self, max_bytes: int = _MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._held: OrderedDict[CurveKey, Held] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: CurveKey) -> Held | None:
        """What was put under this key."""
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: CurveKey, held: Held) -> None:
        """Remember it in place of what was there."""
        with self._lock:
            replaced = self._held.pop(key, None)
            self._bytes += len(held.answer) - (len(replaced.answer) if replaced else 0)
            self._held[key] = held
            while self._bytes > self._max_bytes:
                self._bytes -= len(self._held.popitem(last=False)[1].answer)


def extended(series: SeriesOfRun, news: SeriesOfRun, key: CurveKey) -> SeriesOfRun:
    """Thinned series with later points put in their places and thinned again; a step that was there is replaced."""
    wanted = {metric: columns for metric, columns in news.items() if key.metrics is None or metric in key.metrics}
    return series | {metric: thinned(_merged(series.get(metric), columns), key.max_points) for metric, columns in wanted.items()}


def _merged(known: dict[str, list[Any]] | None, added: dict[str, list[Any]]) -> dict[str, list[Any]]:
    if known is None:
        return added
    if added["step"][0] > known["step"][-1]:
        return {name: known[name] + added[name] for name in known}
    rows = dict(zip(known["step"], zip(*known.values(), strict=True), strict=True))
    rows |= dict(zip(added["step"], zip(*(added[name] for name in known), strict=True), strict=True))
    return dict(zip(known, map(list, zip(*(rows[step] for step in sorted(rows)), strict=True)), strict=True))
