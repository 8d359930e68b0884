"""How well members and non-members are told apart by a score: the area under the ROC curve, and the hits at few false alarms."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import auc_interval, clopper_pearson

FALSE_POSITIVE_RATE = 0.01


@dataclass(frozen=True)
class Separation:
    """Each (value, low, high), 95 %.

    Attributes:
        auc: the chance that a member scores above a non-member, ties counted half; 1/2 is guessing.
        tpr: the share of members above the lowest threshold that at most 1 % of the non-members exceed; ``None`` where
            there are fewer than 100 non-members, 1 % of which is no image. Its interval holds the error of the members
            alone: the threshold is taken as it came out.
        members, non_members: how many of each.
    """

    auc: tuple[float, float, float]
    tpr: tuple[float, float, float] | None
    members: int
    non_members: int


def separation(members: Float[ndarray, " member"], non_members: Float[ndarray, " non_member"]) -> Separation:
    """Compare the scores of both.

    Raises:
        ValueError: if a score is not finite, or there is none of a kind.
    """
    if not (len(members) and len(non_members)):
        raise ValueError(f"{len(members)} members and {len(non_members)} non-members cannot be compared; give some of each")
    if not (np.isfinite(members).all() and np.isfinite(non_members).all()):
        raise ValueError("a score is not finite; report the point as diverged instead")
    return Separation(_auc(members, non_members), _hits(members, non_members), len(members), len(non_members))


def _auc(members: ndarray, non_members: ndarray) -> tuple[float, float, float]:
    ranked = np.sort(non_members)
    below = np.searchsorted(ranked, members, "left") + np.searchsorted(ranked, members, "right")
    value = float(below.sum() / (2 * len(members) * len(non_members)))
    return value, *auc_interval(value, len(members), len(non_members))


def _hits(members: ndarray, non_members: ndarray) -> tuple[float, float, float] | None:
    allowed = int(FALSE_POSITIVE_RATE * len(non_members))
    if not allowed:
        return None
    threshold = np.sort(non_members)[-1 - allowed]
    hits = int((members > threshold).sum())
    return hits / len(members), *clopper_pearson(hits, len(members))
