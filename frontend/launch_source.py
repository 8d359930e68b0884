"""Where a launch starts from, by the page's address: a preset, an earlier experiment, one run of it, or a kind's defaults.

``grow`` names an experiment that shall get further runs instead of a launch of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from frontend.draft import Draft, begin_draft, find_draft
from frontend.form.document import as_yaml
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate, PresetView
from tauscope.contracts.launching import KindView

_MAX_NAME = 80
_FIRST = "digits-demo"
EARLIER = ("from", "fork", "grow")


@dataclass(frozen=True)
class Source:
    """``parameter`` and ``value`` as in the address; ``note`` says where the address asked for what there is not.

    ``step`` is that of the checkpoint which a fork begins from, where it does not start from scratch.
    """

    parameter: str
    value: str
    note: str = ""
    step: int | None = None

    @property
    def key(self) -> str:
        return f"{self.parameter}:{self.value}" + (f"@{self.step}" if self.step else "")


def source_of(address: Mapping[str, str], presets: Sequence[PresetView], kinds: Sequence[KindView]) -> Source:
    """What the address asks for; without anything the preset to begin with."""
    for parameter in EARLIER:
        if address.get(parameter):
            step = address.get("step", "") if parameter == "fork" else ""
            return Source(parameter, address[parameter], step=int(step) if step.isdecimal() else None)
    if address.get("data"):
        return Source("data", address["data"])
    if address.get("kind"):
        return _known("kind", address["kind"], [kind.name for kind in kinds])
    return _known("preset", address.get("preset", _FIRST), [preset.name for preset in presets])


def _known(parameter: str, asked: str, names: Sequence[str]) -> Source:
    if asked in names:
        return Source(parameter, asked)
    return Source(parameter, names[0], f"There is no {parameter} {asked}; this is {names[0]}. There are {', '.join(names)}.")


def draft_of(client: TauscopeClient, source: Source, presets: Sequence[PresetView], kinds: Sequence[KindView]) -> Draft:
    """The draft begun in this session, or a new one.

    Raises:
        ApiError: if there is no such experiment or run.
    """
    found = find_draft(source.key)
    if found is not None:
        return found
    if source.parameter == "preset":
        preset = next(item for item in presets if item.name == source.value)
        return begin_draft(source.key, client.plan(ExperimentCreate(preset=preset.name)).sweep, preset.yaml)
    sweep = _sweep(client, source, kinds)
    return begin_draft(source.key, sweep, as_yaml(sweep))


def _sweep(client: TauscopeClient, source: Source, kinds: Sequence[KindView]) -> dict[str, Any]:
    if source.parameter in ("from", "grow"):
        return client.experiment(source.value).sweep
    if source.parameter == "fork":
        return _one_run(client, source.value, source.step)
    if source.parameter == "data":
        return _on_data(client, source.value, kinds)
    kind = next(kind for kind in kinds if kind.name == source.value)
    return _single(kind.title, kind.defaults or {"kind": kind.name})


def _on_data(client: TauscopeClient, name: str, kinds: Sequence[KindView]) -> dict[str, Any]:
    """The first kind's defaults on a data set, with as many images held out and trained on as it can spare."""
    base = dict(kinds[0].defaults or {"kind": kinds[0].name})
    n_images = next((view.n_images for view in client.datasets() if view.name == name), None)
    asked: dict[str, Any] = {"name": name}
    if n_images is not None:
        held_out = min(1000, n_images // 2)
        asked |= {"n_held_out": held_out, "n_train": max(2, min(64, n_images - held_out))}
    return _single(f"On {name}"[:_MAX_NAME], base | {"dataset": base.get("dataset", {}) | asked})


def _one_run(client: TauscopeClient, run_id: str, step: int | None) -> dict[str, Any]:
    run = client.run(run_id)
    experiment = client.experiment(run.experiment_id)
    # By its parameters: a run keeps its place in an experiment that has grown, and not in the sweep.
    spec = next(item.spec for item in client.plan(ExperimentCreate(sweep=experiment.sweep)).runs if item.params == run.params)
    name = f"{experiment.name}, {run.label}"
    if step is None:
        return _single(name[:_MAX_NAME], spec)
    begun = spec | {"fork": {"run": run_id, "step": step}, "steps": max(run.steps, step + 1)}
    return _single(f"{name}, from {step:,}"[:_MAX_NAME], begun)


def _single(name: str, base: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "summary": "", "base": base, "axes": {}, "combine": "cross", "overrides": {}}
