"""Twins in a results folder, compared from the predictions that both have left there."""

from pathlib import Path

from tauscope.analysis.twins import cosine_point, read_predictions
from tauscope.contracts.points import Point
from tauscope.specs import ExperimentSpec


def compared_points(spec: ExperimentSpec, one: Path, other: Path) -> list[Point]:
    """The agreement of two runs, each given by its folder, at every step at which both have written their predictions."""
    files = [{int(path.stem): path for path in (run / "predictions").glob("*.npz")} for run in (one, other)]
    return [
        cosine_point(spec, step, *(read_predictions(side[step].read_bytes()) for side in files))
        for step in sorted(files[0].keys() & files[1].keys())
    ]
