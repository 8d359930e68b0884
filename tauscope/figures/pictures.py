"""Samples as rows: the first seeds of one run at two checkpoints, each beside its nearest training image; none is selected."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tauscope.contracts.onsets import OnsetStatus
from tauscope.figures.rows import Panel, Row, Tiles
from tauscope.figures.seeds import Family
from tauscope.figures.source import FigureData, FigureRun, Images
from tauscope.specs.measurement import GAP_THRESHOLD

COUNT = 8
TITLE = "Samples above their nearest training {}"


def picture_panel(data: FigureData, found: Sequence[Family], images: dict[str, Tiles]) -> Panel:
    """The panel; what to show of each checkpoint is put into ``images``, in order."""
    kinds = {run.spec["kind"] for family in found for run in family.runs if run.points == "points"}
    if kinds:
        return Panel(
            "d", "Samples", empty=f"runs of kind {', '.join(sorted(kinds))} have no pictures: they are of images and windows of series"
        )
    title = TITLE.format(found[0].runs[0].points if found else "images")
    chosen = _chosen_run(data, found)
    if chosen is None:
        return Panel("d", title, empty="no samples are measured yet")
    steps = _measured_steps(data, chosen)
    rows: list[Row] = []
    for step in _checkpoints(chosen, steps):
        read = data.samples.read(chosen.id, step, COUNT)
        rows += _rows(chosen, step, read)
        images[str(step)] = _tiles(chosen, step, read)
    shown = f"n = {chosen.n_train:,}" if chosen.n_train is not None else chosen.id
    return Panel(
        "d",
        title,
        tuple(rows),
        note=f"{shown}, seeds 0 to {len(rows) // len(images) - 1} of the sampler, none selected; framed: a copy, d1/d2 < 1/3",
        definition=f"Run {chosen.id}: generated samples (above) and the training {chosen.points[:-1]} nearest to each (below), at the last "
        "checkpoint before copying sets in and at the last one. The first seeds in order; a frame marks a copy, d1/d2 < 1/3.",
    )


def _chosen_run(data: FigureData, found: Sequence[Family]) -> FigureRun | None:
    """The largest n at which copying has set in, else the largest n that has samples."""
    with_samples = [run for family in reversed(found) for run in family.runs if _measured_steps(data, run)]
    copied = [run for run in with_samples if (onset := run.onsets.get("tau_mem")) and onset.status is OnsetStatus.REACHED]
    return next(iter(copied or with_samples), None)


def _measured_steps(data: FigureData, run: FigureRun) -> tuple[int, ...]:
    """Checkpoints whose samples gave a number: what diverged has no pictures."""
    series = run.series.get("f_mem")
    measured = {step for step, value in zip(series.step, series.value, strict=True) if value is not None} if series else set()
    return tuple(step for step in data.samples.steps(run.id) if step in measured)


def _checkpoints(run: FigureRun, steps: Sequence[int]) -> tuple[int, ...]:
    """The last checkpoint before copying sets in, by the lower end of tau_mem, and the last of all; one where they are the same."""
    onset = run.onsets.get("tau_mem")
    begins = onset.low if onset and onset.low else float("inf")
    before = [step for step in steps if step < begins]
    return tuple(dict.fromkeys((before[-1] if before else steps[0], steps[-1])))


def _rows(run: FigureRun, step: int, read: Images) -> list[Row]:
    return [
        Row(
            *("d", "image", "gap ratio d1/d2"),
            x_quantity="seed",
            x=seed,
            y=float(ratio),
            n_train=run.n_train,
            run=run.id,
            status="copy" if ratio < GAP_THRESHOLD else "",
            note=f"tau {step}",
        )
        for seed, ratio in enumerate(read.gap_ratio)
    ]


def _tiles(run: FigureRun, step: int, read: Images) -> Tiles:
    copies = tuple(bool(ratio < GAP_THRESHOLD) for ratio in read.gap_ratio)
    return Tiles(_words(run, step), _upright(read.generated), _upright(read.nearest), copies)


def _upright(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return images.transpose(0, 2, 3, 1)


def _words(run: FigureRun, step: int) -> str:
    """Training time, and f_mem there with its interval and count."""
    series = run.series["f_mem"]
    place = series.step.index(step)
    value = series.value[place]
    assert value is not None, "only measured checkpoints are shown"
    low, high, count = series.low[place], series.high[place], series.count[place]
    spread = f" ({100 * low:.1f} to {100 * high:.1f})" if low is not None and high is not None else ""
    return rf"τ = {step:,}: $f_\mathrm{{mem}}$ {100 * value:.1f} %{spread}" + (f" of {count:,}" if count else "")
