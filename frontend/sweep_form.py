"""The few fields of a sweep that the launch page edits beside the YAML: read from a sweep document, written as settings."""

from dataclasses import dataclass
from typing import Any

from tauscope.contracts.experiments import FieldError


@dataclass(frozen=True)
class FormField:
    """One input: its key in the page, the sweep's path it stands for, and its text."""

    key: str
    path: str
    label: str
    text: str
    help: str


class FormError(ValueError):
    """A field that cannot be read; ``error`` names it and the remedy."""

    def __init__(self, error: FieldError) -> None:
        super().__init__(error.message)
        self.error = error


def form_fields(sweep: dict[str, Any]) -> list[FormField]:
    """The inputs for a sweep, filled with what it holds."""
    base, axes = sweep["base"], sweep.get("axes", {})
    n_train = axes.get("n_train", [base["dataset"]["n_train"]])
    by_n = _steps_by_n(sweep)
    steps = [by_n[str(n)] for n in n_train if str(n) in by_n] if by_n else axes.get("steps", [base["steps"]])
    return [
        FormField("name", "name", "Name", str(sweep["name"]), "What the experiment is called."),
        FormField("n_train", "n_train", "Training images n", _list(n_train), "Separate several with commas; each is a run."),
        FormField(
            "steps",
            "steps",
            "Steps" + (", one for each n" if len(n_train) > 1 else ""),
            _list(steps),
            "One number for all, or one for each n.",
        ),
        FormField(
            "seed",
            "seed",
            "Seeds",
            _list(axes.get("seed", [base["seed"]])),
            "Three seeds give an interval that includes run-to-run spread.",
        ),
    ]


def settings_from(sweep: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    """The settings that turn the sweep into what the inputs say; empty where nothing was changed.

    Raises:
        FormError: for the first field that cannot be read.
    """
    before = {field.key: field.text for field in form_fields(sweep)}
    changed = {key: text for key, text in texts.items() if text.strip() != before[key]}
    settings: dict[str, Any] = {"name": changed["name"]} if "name" in changed else {}
    for key in ("n_train", "seed"):
        if key in changed:
            values = _numbers(key, changed[key])
            settings[key] = values if len(values) > 1 or key in sweep.get("axes", {}) else values[0]
    if {"n_train", "steps"} & changed.keys():
        settings |= _steps_settings(sweep, texts)
    return settings


def _steps_settings(sweep: dict[str, Any], texts: dict[str, str]) -> dict[str, Any]:
    sizes, steps = _numbers("n_train", texts["n_train"]), _numbers("steps", texts["steps"])
    others = {path: value for path, value in sweep.get("overrides", {}).items() if path != "steps"}
    if len(steps) == 1:
        return {"steps": steps[0]} if steps != [sweep["base"]["steps"]] or _steps_by_n(sweep) else {}
    if len(steps) != len(sizes):
        message = f"{len(steps)} step counts for {len(sizes)} values of n"
        raise FormError(FieldError(path="steps", message=message, remedy="Give one for each n, in the same order, or a single one"))
    values = {str(n): count for n, count in zip(sizes, steps, strict=True)}
    return {"overrides": {**others, "steps": {"by": "n_train", "values": values}}}


def _steps_by_n(sweep: dict[str, Any]) -> dict[str, Any]:
    override = sweep.get("overrides", {}).get("steps")
    return dict(override["values"]) if override and override["by"] == "n_train" else {}


def _numbers(key: str, text: str) -> list[int]:
    parts = [part.strip().replace(" ", "") for part in text.split(",") if part.strip()]
    if not parts or not all(part.isdigit() for part in parts):
        raise FormError(FieldError(path=key, message=f"{text!r} is not a list of whole numbers", remedy="Write for example 16, 32, 64"))
    return [int(part) for part in parts]


def _list(values: Any) -> str:
    return ", ".join(str(value) for value in values)


def field_of(path: str, keys: list[str]) -> str | None:
    """Which input an error's path belongs to, e.g. ``run(n_train=1).dataset.n_train`` to ``n_train``."""
    parts = path.replace("axes.", "").split(".")
    return next((key for key in keys if key in (parts[-1], parts[0]) or (parts[0] == "overrides" and key in parts)), None)
