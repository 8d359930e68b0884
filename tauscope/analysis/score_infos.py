"""How what a learned score is measured by is named, defined and drawn."""

from collections.abc import Iterable

from tauscope.analysis.denoiser_infos import average_infos, loss_infos
from tauscope.contracts.points import MetricInfo
from tauscope.specs import Score1dSpec

_UNIT = "squared score"


def score_infos(spec: Score1dSpec) -> Iterable[MetricInfo]:
    """Every metric that a run of points on a line measures."""
    infos = [*_errors(spec), *_projections(spec), *loss_infos(spec)]
    return [*infos, *average_infos(spec, {info.name: info for info in infos})]


def _errors(spec: Score1dSpec) -> list[MetricInfo]:
    points, t = f"{spec.measurement.points:,} fixed noised", f"t = {spec.process.t:g}"
    there = f"over {points} points of the population at {t}; 95 % interval over them."
    here = f"over {points} training points at {t}; 95 % interval over their noise, for these training points."
    learned = f"Mean of |learned score - score of the population|^2 {there}"
    linear = "The same for the score of the Gaussian with the population's mean and variance, the best that is linear in x,"
    to_training = f"Mean of |learned score - score of the training points|^2 {here}"
    return [
        _info("e_score", "E_score", "quality", learned, control="e_score_train", log_scale=True),
        _info("e_score_train", "E_score of a copier", "control", f"The same for the score of the training points {there}", log_scale=True),
        _info("e_score_linear", "E_score of one Gaussian", "control", f"{linear} {there}", log_scale=True),
        _info("score_to_training", "distance to the training points' score", "distance", to_training, log_scale=True),
    ]


def _projections(spec: Score1dSpec) -> list[MetricInfo]:
    where = f"{spec.measurement.points:,} fixed noised training points; 95 % interval over their noise, for these training points."
    return [
        _info(
            "score_copied",
            "copied of the training points' score",
            "memorization",
            "1 - |s - s_train| / |s_pop - s_train|: 0 as far from the score of the training points as the population's is, below 0 farther,"
            f" 1 there; root mean squares of the learned score s over {where}",
            unit="share of the distance",
        ),
        _info(
            "alpha",
            "alpha, from the population's score (0) to that of the training points (1)",
            "distance",
            f"sum <s - s_pop, s_train - s_pop> / sum |s_train - s_pop|^2 of the learned score s over {where}",
            unit="share of the way",
        ),
        _info(
            "alpha_orthogonal",
            "what of the learned score's error does not lead to the training points",
            "distance",
            f"sqrt(sum |s - s_pop - alpha (s_train - s_pop)|^2 / sum |s_train - s_pop|^2) over {where}",
            unit="lengths of the way",
        ),
    ]


def _info(name: str, label: str, role: str, definition: str, *, unit: str = _UNIT, **more: str | bool) -> MetricInfo:
    return MetricInfo.model_validate({"name": name, "label": label, "unit": unit, "role": role, "definition": definition, **more})
