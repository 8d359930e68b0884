"""How well members and non-members are told apart by a score: the area under the ROC curve, and the hits at few false alarms."""

from dataclasses import dataclass

import numpy as np
import scipy
from jaxtyping import Float
from numpy import ndarray

from tauscope.metrics.intervals import Z95, clopper_pearson

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


def auc_interval(value: float, members: int, non_members: int) -> tuple[float, float]:
    """95 % score interval: every AUC that lies within 1.96 of its own standard errors of the measured one.

    Newcombe 2006 (doi:10.1002/sim.2324, method 5): the variance of Hanley and McNeil 1982, at the hypothetical AUC A and with
    both sizes replaced by their mean in its bracket. Unlike theirs, or DeLong's, it does not shrink to nothing at A = 1.
    """
    half = (members + non_members) / 2 - 1

    def excess(auc: float) -> float:
        variance = auc * (1 - auc) * (1 + half * ((1 - auc) / (2 - auc) + auc / (1 + auc))) / (members * non_members)
        return (auc - value) ** 2 - Z95**2 * variance

    # At 0 and 1 the variance is zero, so the measured end is itself a root there.
    low = 0.0 if value == 0 else float(scipy.optimize.brentq(excess, 0.0, min(value, 1 - 1e-12)))
    high = 1.0 if value == 1 else float(scipy.optimize.brentq(excess, max(value, 1e-12), 1.0))
    return low, high


def _hits(members: ndarray, non_members: ndarray) -> tuple[float, float, float] | None:
    allowed = int(FALSE_POSITIVE_RATE * len(non_members))
    if not allowed:
        return None
    threshold = np.sort(non_members)[-1 - allowed]
    hits = int((members > threshold).sum())
    return hits / len(members), *clopper_pearson(hits, len(members))
