"""The fixed settings of an experiment in one line, and what varies."""

from typing import Any

from frontend.markup.html import Html, join, tag
from frontend.words import number, plural
from tauscope.contracts.experiments import ExperimentView

_SHORT = {"n_train": "n", "dataset.n_train": "n", "width": "W", "network.base_width": "W"}

_DATA = {"line_mixture": "a mixture on a line"}


def axis_name(path: str) -> str:
    """An axis by its usual letter, or the last part of its path."""
    return _SHORT.get(path, path.rpartition(".")[2])


def settings_text(experiment: ExperimentView) -> list[str]:
    """Data, network, optimizer and batch, as far as the kind has them."""
    base = experiment.sweep.get("base", {})
    found = [_dataset(base.get("dataset")), _network(base.get("network")), _optimizer(base), _random_features(base, experiment)]
    if "seed" in base and "seed" not in experiment.sweep.get("axes", {}):
        found.append(f"training seed {base['seed']}")
    return [item for item in found if item]


def varies_text(experiment: ExperimentView) -> str:
    """The axes and their values, and how many runs stand beside them with settings of their own: ``n = 16, 32, 64; 1 further run``."""
    axes = experiment.sweep.get("axes", {})
    told = [f"{axis_name(path)} = {', '.join(map(_value, _values(experiment, path)))}" for path in axes]
    beside = sum(bool(set(run) - set(axes) - {"steps"}) for run in experiment.sweep.get("further", ()))
    return "; ".join(told + [plural(beside, "further run")] * bool(beside))


def _values(experiment: ExperimentView, path: str) -> list[Any]:
    """The values of an axis, and those that further runs have beside them, in order where they are numbers."""
    found = list(experiment.sweep["axes"][path])
    found += [value for run in experiment.sweep.get("further", ()) if (value := run[path]) not in found]
    further = len(found) > len(experiment.sweep["axes"][path])
    distinct = [value for place, value in enumerate(found) if value not in found[:place]]
    return sorted(distinct) if further and all(isinstance(value, (int, float)) for value in distinct) else distinct


def settings_line(experiment: ExperimentView) -> Html:
    """The line under an experiment's name."""
    parts: list[object] = list(settings_text(experiment))
    varies = varies_text(experiment)
    if varies:
        parts.append(join("varies ", tag("b", varies)))
    separated = [item for part in parts for item in (Html(" · "), part)][1:]
    return tag("div", *separated, class_="tau-settings")


def _dataset(data: Any) -> str:
    if not isinstance(data, dict):
        return ""
    if "components" in data:
        return f"{len(data['means']) if data.get('means') else data['components']} Gaussians in {data['dim']} dimensions"
    size = f" {data['size']}×{data['size']}" if "size" in data else ""
    return f"{_DATA.get(str(data.get('name')), data.get('name', 'data'))}{size}{' in colour' if data.get('colour') else ''}"


def _network(network: Any) -> str:
    if not isinstance(network, dict):
        return ""
    name = {"unet": "U-Net", "unet1d": "1-D U-Net", "mlp": "MLP"}.get(str(network.get("name")), str(network.get("name", "")))
    return f"{name} W={network['base_width']}" if "base_width" in network else name


def _optimizer(base: dict[str, Any]) -> str:
    optimizer = base.get("optimizer")
    if not isinstance(optimizer, dict):
        return ""
    name = {"adam": "Adam", "sgd": "SGD"}.get(str(optimizer.get("name")), str(optimizer.get("name", "")))
    batch = f", batch {base['batch_size']}" if "batch_size" in base else ""
    return f"{name} {_value(optimizer.get('lr', ''))}{batch}"


def _random_features(base: dict[str, Any], experiment: ExperimentView) -> str:
    axes = experiment.sweep.get("axes", {})
    sizes = [f"{name} = {_value(base[name])}" for name in ("psi_p", "psi_n", "d", "t") if name in base and name not in axes]
    return ", ".join([*sizes, str(base["activation"])]) if "psi_p" in base and "activation" in base else ""


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name", value))
    return number(value) if isinstance(value, float) and (value == 0 or value >= 0.001) else str(value)
