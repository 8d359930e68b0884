"""When the denoiser has learnt each Fourier band and each group of components: no worse than the best filter of single coefficients."""

import re
from collections import defaultdict
from collections.abc import Iterable

from tauscope.analysis.onsets import tau_gen
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point

_RATIO = re.compile(r"error_(band|pc)_ratio@\d+:(\d+)")
AS_THE_FILTER = 1.0


def learnt(points: Iterable[Point]) -> dict[str, Onset]:
    """For each band and group the first sustained step at which the held-out error is at or below the linear filter's on the same pairs.

    The filter follows from the data and the noise alone, so the level is the same for every run on them. Bands are learnt in their
    order if the onsets are; where intervals overlap the order is not known.

    Args:
        points: of one run, any metrics among them.

    Returns:
        The onset by the metric of the ratio, low frequencies and large variances first.
    """
    found: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        if _RATIO.fullmatch(point.metric):
            found[point.metric].append(point)
    ordered = sorted(found, key=lambda name: (name.partition("@")[0], int(name.rpartition(":")[2])))
    return {name: tau_gen(found[name], name, AS_THE_FILTER) for name in ordered}
