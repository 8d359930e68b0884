"""How every measured quantity is named, defined and drawn, by kind. Pages and docs read these words here and have none of their own."""

from collections.abc import Callable, Iterable
from typing import Any

from tauscope.analysis.denoiser_infos import alpha_bar
from tauscope.analysis.image_infos import image_infos
from tauscope.analysis.mixture_infos import mixture_infos
from tauscope.contracts.points import MetricInfo
from tauscope.specs import ExperimentSpec

__all__ = ["alpha_bar", "metric_infos"]

# Each is given a spec of its kind.
_INFOS: dict[str, Callable[[Any], Iterable[MetricInfo]]] = {
    "image_ddpm": image_infos,
    "gmm": mixture_infos,
    "gmm_conditional": mixture_infos,
}


def metric_infos(spec: ExperimentSpec) -> dict[str, MetricInfo]:
    """Every metric a run of this spec measures, by name."""
    return {info.name: info for info in _INFOS[spec.kind](spec)}
