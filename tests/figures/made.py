"""Experiments made up for figures: real specs, curves of known shape, and the onsets that the library reads off them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np

from tauscope.analysis.metrics_info import metric_infos
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.points import Point
from tauscope.figures.source import FigureData, FigureRun, Images, series_of
from tauscope.metrics.intervals import clopper_pearson
from tauscope.specs import ExperimentSpec, apply_settings, load_preset

N = 384
STEPS = (5, 10, 20, 40, 80, 160, 320, 640, 1280, 2400)
DATE = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


@dataclass(frozen=True)
class MadeSamples:
    """Pictures that depend on nothing but run, step and seed; every second one is a copy at the last step."""

    known: tuple[int, ...] = STEPS
    channels: int = 1

    def steps(self, run_id: str) -> tuple[int, ...]:
        return self.known

    def read(self, run_id: str, step: int, count: int) -> Images:
        rng = np.random.default_rng(step)
        pixels = rng.integers(0, 256, (2, count, self.channels, 8, 8), dtype=np.uint8)
        copied = (np.arange(count) % 2 == 0) & (step == self.known[-1])
        return Images(pixels[0], pixels[1], np.where(copied, 0.1, 0.9))


def made(
    sizes: Sequence[int] = (16, 32, 64),
    *,
    seeds: Sequence[int] = (1,),
    widths: Sequence[int] = (16,),
    upto: int = STEPS[-1],
    good: bool = True,
    lost_from: int | None = None,
) -> FigureData:
    """A sweep measured up to a step.

    Args:
        good: whether quality is ever reached.
        lost_from: the step from which the largest n has no numbers.
    """
    axes = {
        name: list(values)
        for name, values in (("n_train", sizes), ("seed", seeds), ("width", widths))
        if name == "n_train" or len(values) > 1
    }
    settings: dict[str, object] = {**axes, **({"width": widths[0]} if len(widths) == 1 else {})}
    sweep = apply_settings(load_preset("digits-demo").sweep, settings)
    runs = []
    for run in sweep.resolve():
        n, seed = run.spec.dataset.n_train, run.params.get("seed", 1)
        lost = lost_from if n == max(sizes) else None
        points = [point for step in STEPS if step <= upto for point in _points(n, run.spec.network.base_width, seed, step, good=good)]
        points = [point if lost is None or point.step < lost else _gone(point) for point in points]
        runs.append(_run(f"{run.index:02d}", run.params, run.spec, points))
    samples = MadeSamples(tuple(step for step in STEPS if step <= upto))
    return FigureData("made1", "made up", "0.1.0+code", DATE, sweep.model_dump(mode="json"), tuple(runs), samples)


def _run(name: str, params: dict[str, object], spec: ExperimentSpec, points: Sequence[Point]) -> FigureRun:
    onsets = summarize_points(spec, points)[0] if points else {}
    return FigureRun(name, params, spec.model_dump(mode="json"), "finished", series_of(points), onsets, metric_infos(spec))


def _points(n: int, width: int, seed: int, step: int, *, good: bool) -> list[Point]:
    shift = 1 + 0.08 * np.cos(seed)
    copied = round(N * 0.8 / (1 + (12 * n * 16 / width * shift / step) ** 3))
    share = (copied / N, *clopper_pearson(copied, N), N)
    control = (0.001, 0.0, 0.0055, 1000)
    loss = (0.4 if good else 0.7) + 0.6 / (1 + (step / (18 * shift)) ** 1.4)
    train = loss * (1 - 0.9 * share[0])
    rows = {"f_mem": share, "f_mem_control": control, "frechet_pca": (10 / step + 0.4, 10 / step + 0.3, 10 / step + 0.5, N)}
    rows |= {"frechet_pca_floor": (0.2, 0.15, 0.25, N), "frechet_pca_train": (40 / n, 30 / n, 50 / n, n)}
    for index in (10, 100):
        rows[f"loss_held_out@{index}"] = (loss, loss * 0.98, loss * 1.02, 512)
        rows[f"loss_train@{index}"] = (train, train * 0.98, train * 1.02, 512)
        rows[f"loss_gap@{index}"] = (1 - train / loss, 0.97 * (1 - train / loss), 1.03 * (1 - train / loss), 512)
    return [Point(step=step, metric=name, value=v, low=low, high=high, count=count) for name, (v, low, high, count) in rows.items()]


def _gone(point: Point) -> Point:
    return Point(step=point.step, metric=point.metric, value=None, reason="diverged")


def colourful(data: FigureData) -> FigureData:
    """The same with pictures in three channels."""
    return replace(data, samples=MadeSamples(channels=3))
