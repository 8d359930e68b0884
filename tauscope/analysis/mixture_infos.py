"""How what a run on a mixture is measured by is named, defined and drawn."""

from collections.abc import Iterable, Iterator
from typing import Any

from tauscope.analysis.copying_infos import copying_infos
from tauscope.analysis.denoiser_infos import alpha_bar, average_infos, loss_infos
from tauscope.analysis.theory_infos import theory_infos
from tauscope.contracts.points import MetricInfo
from tauscope.specs.gmm import GmmSpec

_UNIT = "units of the data"


def mixture_infos(spec: GmmSpec) -> Iterable[MetricInfo]:
    """Every metric that a run on a mixture measures."""
    infos = [] if spec.only_index is not None else [*copying_infos(spec, _UNIT), *_quality(spec), *_closeness(spec)]
    infos += [info for index in spec.measurement.score_indices for info in _scores(spec, index)]
    infos += loss_infos(spec)
    infos += theory_infos(spec, who=("empirical", "population"))
    return [*infos, *average_infos(spec, {info.name: info for info in infos})]


def _beside(name: str, label: str, unit: str, role: str, definition: str, n: int, **more: Any) -> list[MetricInfo]:
    """A metric of samples, and its control: what as many fresh draws of the population score."""
    floor = f"{name}_floor"
    place = {"name": name, "label": label, "unit": unit, "role": role, "definition": definition, "control": floor}
    words = f"The same for {n:,} fresh draws of the population: what a perfect generator scores."
    control = {"name": floor, "label": f"{label}, fresh draws", "unit": unit, "role": "control", "definition": words}
    log = {key: value for key, value in more.items() if key == "log_scale"}
    return [MetricInfo.model_validate(place | more), MetricInfo.model_validate(control | log)]


def _quality(spec: GmmSpec) -> Iterator[MetricInfo]:
    n = spec.n_generated
    yield from _beside(
        *("energy_distance", "energy distance", _UNIT, "quality"),
        f"2 E|X - Y| - E|X - X'| - E|Y - Y'| of {n:,} samples and {n:,} draws of the population, unbiased; 95 % jackknife interval.",
        n,
    )
    yield MetricInfo(
        name="energy_distance_train",
        label="energy distance of a perfect copier",
        unit=_UNIT,
        role="control",
        definition=f"The same for {n:,} draws with replacement from the training points.",
    )
    yield from _beside(
        *("log_likelihood", "log-likelihood under the population", "nats a sample", "quality"),
        f"Mean log p of {n:,} samples, p the density of the mixture; 95 % Student interval. Fresh draws score minus the entropy of p.",
        n,
        better="neither",
    )
    yield from _beside(
        *("kl", "divergence from the population", "nats", "quality"),
        f"Estimate of KL(samples | population) from the third-nearest neighbours of {n:,} samples (Kozachenko-Leonenko); 95 % jackknife "
        "interval, which leaves out the bias: the score of fresh draws, 0 in truth, shows it.",
        n,
    )


def _closeness(spec: GmmSpec) -> Iterator[MetricInfo]:
    n, n_train = spec.n_generated, spec.n_train
    student = f"over {n:,} samples; 95 % Student interval."
    yield from _beside(
        *("e_gen", "E_gen, distance to the nearest centre", _UNIT, "distance"),
        f"Mean Euclidean distance to the nearest true centre {student} Of fresh draws it has a size of its own, to be read beside.",
        n,
    )
    yield from _beside(
        *("e_mem", "E_mem, distance to the nearest training point", _UNIT, "distance"),
        f"Mean Euclidean distance to the nearest of the {n_train:,} training points {student}",
        n,
    )
    yield from _beside(
        *("nearer_train", "nearer to training than to held-out points", "share of samples", "distance"),
        f"Share of {n:,} samples nearer to one of the {n_train:,} training points than to any of as many held-out ones; null 1/2 over "
        "pairs of sets, and what fresh draws score given these; 95 % Clopper-Pearson interval.",
        n,
    )


def _scores(spec: GmmSpec, index: int) -> Iterator[MetricInfo]:
    level, n = alpha_bar(spec.process, index), spec.measurement.score_points
    where = f"at index {index} (alpha_bar {level:.3f})"
    fixed = "95 % jackknife interval over data points."

    def info(name: str, label: str, unit: str, role: str, definition: str, **more: Any) -> MetricInfo:
        place = {"name": name, "label": f"{label} {where}", "unit": unit, "role": role, "definition": definition}
        return MetricInfo.model_validate(place | {"index": index, "alpha_bar": level} | more)

    noise = "squared error of eps per dimension"
    yield info(
        *(f"score_error@{index}", "error of the score", noise, "quality"),
        f"(1 - alpha_bar)/d E|s - s_pop|^2 against the population's score, at {n:,} noised fresh draws {where}; {fixed}",
        log_scale=True,
        control=f"score_error@{index}_train",
    )
    yield info(
        *(f"score_error@{index}_train", "error of a memorizer's score", noise, "control"),
        f"The same of the exact score of the {spec.n_train:,} training points, which minimizes their loss.",
        log_scale=True,
    )
    yield info(
        *(f"score_error_empirical@{index}", "error against the empirical score", noise, "loss"),
        f"(1 - alpha_bar)/d E|s - s_emp|^2 against the exact score of the training points, at {n:,} of them noised {where}; {fixed}",
        log_scale=True,
    )
    along = f"at {n:,} noised training points {where}; {fixed}"
    yield info(
        *(f"alpha@{index}", "projection order parameter alpha", "0 the population's score, 1 that of the training points", "memorization"),
        f"sum <s - s_pop, d> / sum |d|^2 with d = s_emp - s_pop, {along}",
    )
    yield info(
        *(f"alpha_orthogonal@{index}", "what of the score's error is no copying", "length, that of s_emp - s_pop being 1", "distance"),
        f"sqrt(sum |s - s_pop - alpha d|^2 / sum |d|^2) {along}",
    )
    yield info(
        *(f"alpha_ho@{index}", "alpha without the population", "0 knows neither set, 1/2 has memorized the training points", "warning"),
        f"sum <s - s_bar, d> / sum |d|^2 with s_bar and d mean and difference of the empirical scores of {spec.n_train:,} training and as "
        f"many held-out points, at {n:,} noised of each {where}; {fixed}",
    )
