"""When the denoiser has learnt each Fourier band and each group of components: no worse than the best filter of single coefficients."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tauscope.analysis.onsets import tau_gen
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point

_ERROR = re.compile(r"error_(band|pc)_held_out@(\d+):(\d+)")


def learnt(points: Iterable[Point]) -> dict[str, Onset]:
    """For each held-out error the first sustained step at which it is at or below what the linear filter leaves.

    The level is a number of the data and the noise alone, the same for every run on them; a group without one is left out. Bands
    are learnt in their order if the onsets are; where intervals overlap the order is not known.

    Args:
        points: of one run, any metrics among them.

    Returns:
        The onset by the metric of the held-out error, low frequencies and large variances first.
    """
    found: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        found[point.metric].append(point)
    levels = {name: _level(found.get(name.replace("held_out", "linear"), ())) for name in found if _ERROR.fullmatch(name)}
    ordered = sorted(levels, key=lambda name: (name.partition("@")[0], int(name.rpartition(":")[2])))
    return {name: tau_gen(found[name], name, level) for name in ordered if (level := levels[name]) is not None}


def _level(points: Sequence[Point]) -> float | None:
    return next((point.value for point in points), None)
