"""Whether a quantity is the same in everything that is compared: curves that only share a name must not look like one measurement."""

from collections.abc import Mapping, Sequence

from frontend.charts.compared import Line
from frontend.comparison import configuration, spec_of
from tauscope.analysis.metrics_info import metric_infos
from tauscope.contracts.points import MetricInfo
from tauscope.specs.fields import FieldValue

MARK = "†"
# What is measured on which images at which noise; how long and how often is no part of a definition.
_BEARING = ("dataset.", "measurement.", "process.")
_NOT_BEARING = ("dataset.n_train", "dataset.subset", "measurement.schedule", "measurement.loss_schedule", "measurement.loss_indices")
_OF_DISTANCE: tuple[str, ...] = ("measurement.frechet_components",)
_OF_FEATURES = "measurement.features."
_OF_SAMPLES: tuple[str, ...] = ("measurement.n_generated", "measurement.sampler", *_OF_DISTANCE)


Differing = tuple[tuple[str, str, str], ...]
"""The fields in which two definitions differ: title, value here, value there."""


def measured_otherwise(lines: Sequence[Line], metric: str) -> dict[str, str]:
    """The lines whose quantity is another one than the first line's, by key, and in what it differs, in words."""
    told = differing_fields(lines, metric).items()
    return {key: "; ".join(f"{title}: {ours}, not {theirs}" for title, ours, theirs in fields) for key, fields in told}


def differing_fields(lines: Sequence[Line], metric: str) -> dict[str, Differing]:
    """The same, field by field."""
    found: dict[str, Differing] = {}
    measuring = [line for line in lines if definition(line, metric) is not None]
    for line in measuring[1:]:
        differing = _differing(line, measuring[0], metric)
        if differing:
            found[line.key] = differing
    return found


def marked_name(line: Line) -> str:
    """The name of a line that is measured otherwise: ``B† n = 16``."""
    letter = f"{line.part.letter} "
    return f"{letter.strip()}{MARK} {line.name.removeprefix(letter)}" if line.name.startswith(letter) else f"{line.name}{MARK}"


def not_measured(lines: Sequence[Line], metric: str) -> list[Line]:
    """The lines that do not measure a quantity at all; those whose configuration cannot be read are not among them."""
    readable = [line for line in lines if spec_of(line.part.experiment, line.members.runs[0]) is not None]
    return [line for line in readable if definition(line, metric) is None]


def definition(line: Line, metric: str) -> MetricInfo | None:
    """What a metric is in a line's runs; ``None`` where it is not measured, or their configuration cannot be read."""
    spec = spec_of(line.part.experiment, line.members.runs[0])
    return metric_infos(spec).get(metric) if spec is not None else None


def _differing(line: Line, first: Line, metric: str) -> Differing:
    ours, theirs = (bearing(configuration(item.part.experiment, item.members.runs[0]), metric) for item in (line, first))
    paths = [path for path in {**theirs, **ours} if _value(ours, path) != _value(theirs, path)]
    titles = {path: (ours.get(path) or theirs[path]).title for path in paths}
    return tuple((titles[path], _value(ours, path), _value(theirs, path)) for path in paths)


def bearing(fields: Mapping[str, FieldValue], metric: str) -> dict[str, FieldValue]:
    """The fields that decide what a metric means: a loss needs no samples, and all else no pairs of image and noise."""
    foreign = _OF_SAMPLES if metric.startswith("loss_") else ("measurement.loss_pairs", *_OF_DISTANCE)
    foreign = ("measurement.loss_pairs",) if metric.startswith("frechet_pca") else foreign
    bearing = {
        path: field for path, field in fields.items() if path.startswith(_BEARING) and not path.startswith((*_NOT_BEARING, *foreign))
    }
    return {path: field for path, field in bearing.items() if not path.startswith(_OF_FEATURES) or _looked_with(path, metric)}


def _looked_with(path: str, metric: str) -> bool:
    """Whether a field of a feature network bears on a metric: on those on its features, but for which others there are."""
    key, _, field = path.removeprefix(_OF_FEATURES).partition(".")
    return metric.removesuffix("_floor").removesuffix("_train").endswith(f"_{key}") and field != "metrics"


def _value(fields: Mapping[str, FieldValue], path: str) -> str:
    value = fields[path].value if path in fields else "none"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
