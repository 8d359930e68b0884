"""What a forecast learns from: a run's configuration and n, its tau_mem, and when its loss gap crossed each of a row of levels."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tauscope.analysis.onsets import Curve, crossing_time
from tauscope.contracts.onsets import Onset
from tauscope.contracts.points import Point
from tauscope.specs import ExperimentSpec

# Levels of (L_held_out - L_train) / L_held_out. Below the first the gap is noise; above the last, copying has begun.
GAP_LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True)
class Trajectory:
    """A run as forecasts see it.

    Attributes:
        configuration: what its spec has in common with its replicates and with other n, as a short digest.
        n_train: training images.
        onset: tau_mem as it stands; ``None`` before anything was measured.
        crossings: gap level to the step at which it was crossed, for the levels crossed so far.
    """

    configuration: str
    n_train: int
    onset: Onset | None
    crossings: Mapping[float, float]


def trajectory_of(spec: ExperimentSpec, points: Sequence[Point], onset: Onset | None) -> Trajectory:
    """A run as far as it has come."""
    return Trajectory(configuration_of(spec), spec.n_train, onset, gap_crossings(points, spec.gap_metrics[-1]))


def gap_crossings(points: Sequence[Point], metric: str) -> dict[float, float]:
    """When the gap first rose to each level and stayed, in training steps; levels that it has not crossed are left out."""
    curve = Curve.of(points, metric, share=False)
    found = {level: crossing_time(curve, level) for level in GAP_LEVELS}
    return {level: tau for level, tau in found.items() if tau is not None}


def configuration_of(spec: ExperimentSpec) -> str:
    """A digest of all that a spec says but n, seed, budget and when and how finely it is measured."""
    document = spec.model_dump(mode="json")
    for path in (*type(spec).WITHIN_CONFIGURATION, *_as_before(spec, document)):
        parent, _, leaf = path.rpartition(".")
        node = _at(document, parent) if parent else document
        node.pop(leaf)
        if not node:
            document.pop(parent)  # A heading that is new with its fields.
    return _short(document)


def domain_of(spec: ExperimentSpec) -> str:
    """A digest of what must agree for one run to teach anything of another: images, noise, definition of tau_mem, probe."""
    document = spec.model_dump(mode="json")
    named = {path: _at(document, path) for path in type(spec).DOMAIN if path not in _as_before(spec, document)}
    return _short({**named, "kind": spec.kind, "probe": spec.gap_metrics[-1]})


def _as_before(spec: ExperimentSpec, document: Any) -> list[str]:
    return [path for path, before in type(spec).LATER.items() if _at(document, path) == before]


def _at(document: Any, path: str) -> Any:
    for part in path.split("."):
        document = document[part] if document is not None else None
    return document


def _short(document: Any) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:12]
