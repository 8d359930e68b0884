"""What the limiting spectrum foretells of a run of random features: when each bulk is learnt, and what it has in the final gap."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.contracts.points import Point
from tauscope.experiments.measured import measured_point
from tauscope.metrics.intervals import mean_interval
from tauscope.theory.rf_spectrum import Spectrum


def bulk_points(spectrum: Spectrum, step: int, *, dtau: float = 1.0) -> list[Point]:
    """Ends, median, mass and time scale of each bulk, those of the largest eigenvalues first.

    Args:
        spectrum: the limiting one.
        step: at which they are told.
        dtau: of a training step; the time scale is told in steps.
    """
    points = []
    for place, bulk in enumerate(reversed(spectrum.bulks), 1):
        values = {name: getattr(bulk, name) for name in ("low", "median", "high", "mass")}
        values["tau"] = spectrum.timescale(bulk.median) / dtau
        points += [Point(step=step, metric=f"bulk_{name}@{place}", value=value) for name, value in values.items()]
    return points


def gap_points(spectrum: Spectrum, gaps: Sequence[Float[ndarray, " mode"]], step: int) -> list[Point]:
    """The share of the final gap that each bulk's directions have, counted from the largest eigenvalue down; mean over draws.

    Args:
        spectrum: the limiting one.
        gaps: of each draw, what every mode adds to the final gap, by ascending eigenvalues.
        step: at which they are told.
    """
    ends = np.rint(np.cumsum([0.0, *(bulk.mass for bulk in reversed(spectrum.bulks))]) * spectrum.model.p).astype(int)
    shares = [np.diff(np.cumsum([0.0, *gap[::-1]])[np.minimum(ends, len(gap))]) / gap.sum() for gap in gaps]
    return [
        measured_point(step, f"bulk_gap@{place}", mean_interval(np.array(column)), len(gaps))
        for place, column in enumerate(zip(*shares, strict=True), 1)
    ]
