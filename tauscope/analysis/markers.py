"""Markers beside the onsets: tau_test, when the held-out loss is least, and tau_split, when a run agrees most with its twin.

The held-out loss falls, and rises again once the model fits what only its training images have (Bonnaire et al. 2025,
arXiv:2505.17638). Its minimum is flat, so many checkpoints may be it. One is ruled out when some other lies below it by more than
chance, at 95 % for all comparisons together (Bonferroni). The loss is measured on the same pairs of image and noise every time,
so errors at two checkpoints move together and their difference errs less than if they did not; how much less is not recorded.
Independence is assumed, which makes the interval wider than need be and never too narrow. Between checkpoints nothing was
measured: the interval reaches to the neighbours of the outermost checkpoints that remain.

Two networks on disjoint images first learn what all images share, and their predictions come together; then each fits its own, and
they part (arXiv:2603.03469). The highest agreement is found as the least loss is.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import scipy
from jaxtyping import Bool, Float
from numpy import ndarray

from tauscope.analysis.onsets import Curve
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tauscope.metrics.intervals import CONFIDENCE, Z95

_JUMPS_SEEN = 5


def tau_test(points: Sequence[Point], metric: str) -> Onset:
    """The step of the least held-out loss, and the steps between which it may lie.

    ``level`` is the least loss. The marker is reached once the loss has risen from there beyond doubt; until then it is censored.
    """
    return _least(Curve.of(points, metric, share=False), metric, turn="rise")


def tau_split(points: Sequence[Point], metric: str) -> Onset:
    """The step at which a run and its twin agree most, and the steps between which that may lie.

    ``level`` is the largest cosine. The marker is reached once the cosine has fallen from there beyond doubt; until then it is censored.
    Doubt is what the choice of points leaves, and how far the cosine jumps from one checkpoint to the next as the weights do.
    """
    curve = Curve.of(points, metric, share=False)
    if not len(curve.step):
        return _undefined(metric, "it was not compared with a twin")
    found = _least(_jumping(curve).falling(), metric, turn="fall")
    return found.model_copy(update={"level": -found.level})


def _jumping(curve: Curve) -> Curve:
    """The curve with intervals that also hold its jumps: how far a checkpoint lies off the line, in log tau, between its neighbours.

    The median of these distances times 1.48 estimates a Gaussian's standard deviation and is not moved by the few of them at a bend
    (Huber and Ronchetti 2009, section 5.1). Under five checkpoints there is no telling jump from bend, and intervals stay as they are.
    """
    if len(curve.step) < _JUMPS_SEEN:
        return curve
    place = np.log(np.maximum(curve.step, 1.0))
    share = (place[1:-1] - place[:-2]) / (place[2:] - place[:-2])
    off = curve.value[1:-1] - (1 - share) * curve.value[:-2] - share * curve.value[2:]
    jump = 1.4826 * float(np.median(np.abs(off) / np.sqrt(1 + (1 - share) ** 2 + share**2)))
    half = np.hypot((curve.high - curve.low) / 2, Z95 * jump)
    return replace(curve, low=curve.value - half, high=curve.value + half)


def _least(curve: Curve, metric: str, *, turn: str) -> Onset:
    """The least point of a curve; ``turn`` says what it does from there on, in words."""
    if len(curve.step) < 2:
        return _undefined(metric, f"{metric} was not measured yet" if not len(curve.step) else f"{metric} was measured once")
    place = int(np.argmin(curve.value))
    remain = np.flatnonzero(may_be_least(curve))
    edges = np.concatenate([[0.0], curve.step, [np.inf]])
    low, high = float(edges[remain[0]]), float(edges[remain[-1] + 2])
    found = {"low": low, "metric": metric, "level": float(curve.value[place])}
    if not np.isfinite(high):
        reason = f"no {turn} by {curve.step[-1]:,.0f}"
        return Onset(value=None, high=None, status=OnsetStatus.CENSORED, reason=reason, **found)
    if place == 0:
        reason = f"before the first measurement at {curve.step[0]:,.0f}"
        return Onset(value=None, high=high, status=OnsetStatus.BEFORE_FIRST, reason=reason, **found)
    return Onset(value=float(curve.step[place]), high=high, status=OnsetStatus.REACHED, **found)


def _undefined(metric: str, reason: str) -> Onset:
    return Onset(value=None, low=None, high=None, status=OnsetStatus.UNDEFINED, metric=metric, level=0.0, reason=reason)


def may_be_least(curve: Curve) -> Bool[ndarray, " point"]:
    """For each checkpoint, whether the loss there cannot be told from the least of all.

    Of the true losses, that of the least checkpoint exceeds no other; it is wrongly ruled out in at most 5 % of cases.
    """
    error: Float[ndarray, " point"] = (curve.high - curve.low) / (2 * Z95)
    excess = curve.value[:, None] - curve.value[None, :]
    doubt = scipy.special.ndtri(1 - (1 - CONFIDENCE) / (len(curve.value) - 1)) * np.hypot(error[:, None], error[None, :])
    return ~(excess > doubt).any(axis=1)
