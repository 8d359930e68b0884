"""What a run of a sweep changes, in the words of the form: each field by its label, its value with its unit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from tauscope.specs.experiment import ExperimentSpec
from tauscope.specs.fields import BETWEEN, FieldValue, field_values

LOOKED_AT = ("measurement.loss_indices", "measurement.score_indices", "onsets.")
"""How parameters begin that say where a setting is looked at, and not what it is."""

_NAMES = ("Adam", "Fourier", "Fréchet", "Gaussian")
_SPELT = {"log_snr": "log-SNR", "adamw": "AdamW", "adam": "Adam", "sgd": "SGD", "ddim": "DDIM"}


def setting_words(spec: ExperimentSpec, changed: Mapping[str, Any]) -> str:
    """The settings of a run that its sweep changes, e.g. ``Fourier features: scale 1, count 32``; empty where there are none.

    Args:
        spec: of the run, with the changes in it.
        changed: by path or short name; its values are read from the spec, defaults and all.

    Returns:
        A path that is no field of this kind, as it stands, with its value.
    """
    fields = field_values(spec)
    names = Counter(item.title.rpartition(BETWEEN)[2] for item in fields)
    return "; ".join(_words(spec.ALIASES.get(path, path), value, fields, names) for path, value in changed.items())


def _words(path: str, value: Any, fields: Sequence[FieldValue], names: Mapping[str, int]) -> str:
    exact = next((item for item in fields if item.path in (path, f"{path}.name")), None)
    given = value if isinstance(value, Mapping) else {}
    inside = [item for item in fields if item.path.startswith(f"{path}.") and item is not exact and _told(item, path, given)]
    if exact is None and not inside:
        return f"{path}={value}"
    title = _label(exact, names) if exact else inside[0].title.split(BETWEEN)[path.count(".")]
    head = title if exact is None else f"{title} {_value(exact)}"
    rest = ", ".join(f"{uncapitalized(item.title.rpartition(BETWEEN)[2])} {_value(item)}" for item in inside)
    return ": ".join(part for part in (head, rest) if part)


def _told(item: FieldValue, path: str, given: Mapping[str, Any]) -> bool:
    """Of a choice by name only what was set beside the name; of anything else all of it."""
    return "name" not in given or item.path.removeprefix(f"{path}.").partition(".")[0] in given


def _label(item: FieldValue, names: Mapping[str, int]) -> str:
    """Its own title, under that of its heading where several fields have it."""
    above, _, title = item.title.rpartition(BETWEEN)
    return f"{above.rpartition(BETWEEN)[2]}, {uncapitalized(title)}" if above and names[title] > 1 else title


def _value(item: FieldValue) -> str:
    value = item.value
    if value is None or isinstance(value, bool):
        return {None: "none", True: "on", False: "off"}[value]
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    text = f"{value:,}" if isinstance(value, int) else f"{value:.10g}" if isinstance(value, float) else _SPELT.get(str(value), str(value))
    told = item.unit and item.unit.lower() in item.title.rpartition(BETWEEN)[2].lower()
    return text if told else f"{text} {item.unit}".rstrip()


def uncapitalized(words: str) -> str:
    """As words stand within a sentence: a capital that begins a plain word is lowered, that of a person's name kept."""
    first = words.partition(" ")[0]
    if first in _NAMES:
        return words
    return words[:1].lower() + words[1:] if first[1:] and first[1:] == first[1:].lower() else words
