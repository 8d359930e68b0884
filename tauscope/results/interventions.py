"""The settings of a results folder: its runs, and its runs as other samplers measured them again."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from tauscope.analysis.interventions import AGAIN
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.analysis.summary import summarize_points
from tauscope.contracts.points import Point
from tauscope.results.phase import runs_in_folder
from tauscope.results.remeasured import Remeasured, read_remeasured
from tauscope.specs.remeasuring import with_changes

OF_THE_NETWORK = ("loss_", "grid_", "error_", "theory_", "score_error", "alpha", "mia_", "stable_rank")
"""How metrics begin that no sampler has a part in."""


def settings_in_folder(folder: Path) -> tuple[str, list[MeasuredRun]]:
    """The experiment's name, its runs, and behind them each run once more for every set that differs in the sampler alone.

    What acts on samples leaves the weights as they are, so such a set is what the run would have measured with that sampler: what is
    measured of the network alone is the run's own. A set that differs in more, as in the number of samples, is another estimate of the
    same and no setting.

    Raises:
        FileNotFoundError: if a file that the layout promises is missing, naming it.
    """
    name, runs = runs_in_folder(folder)
    return name, [*runs, *measured_again(runs, read_remeasured(folder))]


def measured_again(runs: Sequence[MeasuredRun], rows: Sequence[Remeasured]) -> Iterator[MeasuredRun]:
    """The runs once more for each of their sets that differs in the sampler alone, see ``settings_in_folder``."""
    by_id = {run.summary.id: run for run in runs}
    sets: dict[tuple[str, str, str], list[Point]] = {}
    for row in rows:
        if set(json.loads(row.changes)) == {"sampler"}:
            sets.setdefault((row.set, row.changes, row.run), []).append(row.point)
    for (held, changes, run_id), drawn in sets.items():
        run = by_id[run_id]
        spec = with_changes(run.spec, json.loads(changes))
        points = [point for point in run.points if point.metric.startswith(OF_THE_NETWORK)]
        points += [point for point in drawn if not point.metric.startswith(OF_THE_NETWORK)]
        onsets, final = summarize_points(spec, points)
        update = {"params": run.summary.params | {AGAIN: held}, "onsets": onsets, "final": final}
        yield MeasuredRun(run.summary.model_copy(update=update), spec, points)
