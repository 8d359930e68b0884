"""Onsets of further averages of the weights: when each generates well, and when it copies."""

from collections.abc import Sequence

from tauscope.analysis.onsets import tau_gen, tau_mem
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.specs import DenoiserSpec, ExperimentSpec


def onsets_of_averages(spec: ExperimentSpec, points: Sequence[Point]) -> dict[str, Onset]:
    """tau_gen and tau_mem of every further average by the levels of the spec, under names with its length: ``tau_mem~ema0.1``.

    The control is that of the run: real images are the same to every average. A tau_gen by what is measured of the first average
    alone is undefined and says so.
    """
    if not isinstance(spec, DenoiserSpec) or spec.ema is None:
        return {}
    found = {}
    for suffix in spec.ema.further_names:
        found[f"tau_gen{suffix}"] = _tau_gen(spec, points, suffix)
        if spec.sample_steps and spec.onsets.tau_mem.metric == "f_mem":
            found[f"tau_mem{suffix}"] = tau_mem(points, spec.onsets.tau_mem.level, f"f_mem{suffix}")
    return found


def _tau_gen(spec: ExperimentSpec, points: Sequence[Point], suffix: str) -> Onset:
    metric, level = spec.onsets.tau_gen.metric, spec.onsets.tau_gen.level
    onset = tau_gen(points, metric + suffix, level)
    if metric.startswith("loss_held_out@"):
        return onset
    return onset.model_copy(update={"reason": f"{metric} is measured of the first average alone"})
