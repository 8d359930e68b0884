"""Checkpoints: tensors in safetensors, everything else in JSON beside them; never pickled code.

A checkpoint holds the weights, their averages and the optimizer. Random generators need no state (see ``seeding``), so
these, the step and the spec are all that a bit-identical resume needs.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from tauscope.networks.native import machine_code
from tauscope.specs import DenoiserSpec, ExperimentSpec
from tauscope.training.optimizers import Slots
from tauscope.training.trainer import Trainer
from tauscope.version import code_version

FORMAT = 1


class CheckpointError(Exception):
    """A checkpoint cannot be resumed from; the message says why and what to do."""


@dataclass(frozen=True)
class CheckpointFiles:
    """The two files of a checkpoint."""

    weights: Path
    state: Path


def save_checkpoint(trainer: Trainer, folder: Path) -> CheckpointFiles:
    """Write ``<step>.safetensors`` and ``<step>.json`` durably: a name that exists is always complete.

    Raises:
        OSError: if they cannot be written, e.g. because the disk is full.
    """
    files = write_checkpoint(_tensors(trainer), _state(trainer), folder)
    trainer.saved = trainer.step
    return files


def write_checkpoint(tensors: dict[str, Tensor], state: dict[str, Any], folder: Path) -> CheckpointFiles:
    """Write both halves of the checkpoint of the state's ``step``, with the format and the digest of the first in the second.

    Raises:
        OSError: if they cannot be written, e.g. because the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = CheckpointFiles(folder / f"{state['step']}.safetensors", folder / f"{state['step']}.json")
    temporary = files.weights.with_suffix(".partial")
    _write_tensors(tensors, temporary)
    document = {"format": FORMAT, **state, "weights_sha256": _sha256(temporary)}
    publish(temporary, files.weights)
    temporary = files.state.with_suffix(".json.partial")
    temporary.write_text(json.dumps(document, indent=1))
    publish(temporary, files.state)
    return files


def read_checkpoint(state_file: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Both halves, the state first.

    Raises:
        CheckpointError: if they are missing, damaged, or of another format.
    """
    state = read_state(state_file)
    weights = state_file.with_suffix(".safetensors")
    if not weights.is_file() or _sha256(weights) != state["weights_sha256"]:
        raise CheckpointError(f"{weights} is missing or damaged; remove this checkpoint and resume from an earlier one")
    return state, load_file(weights)


def load_checkpoint(trainer: Trainer, state_file: Path) -> None:
    """Put the trainer where it stood when the checkpoint was written, or where its spec forks from that checkpoint.

    Raises:
        CheckpointError: if the files are damaged, belong to another spec or other data, or do not fit the network that forks from them.
    """
    state, tensors = read_checkpoint(state_file)
    if not continues(state["spec"], trainer.spec):
        _check_fork(state, trainer.spec, state_file)
    else:
        _check_data("data", state.get("data_sha256"), trainer.data_sha256, state_file)
        _check_data("labels", state.get("labels_sha256"), trainer.labels_sha256, state_file)
    try:
        trainer.network.load_state_dict(_part(tensors, "network"))
    except RuntimeError as error:
        raise CheckpointError(
            f"{state_file} holds another network; fork with the network, channels and process it has ({error})"
        ) from error
    trainer.average.load(_part(tensors, "ema"))
    for name, average in trainer.further.items():
        # A fork may ask for a length that the run it begins from did not keep; it begins as the average that was measured.
        average.load(_part(tensors, f"ema{name}") or _part(tensors, "ema"))
    if state["spec"]["optimizer"]["name"] == trainer.spec.optimizer.name:
        trainer.remember(_optimizer_slots(_part(tensors, "optimizer")))
    trainer.step = trainer.saved = int(state["step"])


def _check_data(what: str, held: str | None, present: str | None, state_file: Path) -> None:
    if held not in (None, present):
        raise CheckpointError(
            f"the {what} are not those that {state_file} was trained on: put them back as they were, or begin a new run on the new ones"
        )


def _check_fork(state: dict[str, Any], spec: DenoiserSpec, state_file: Path) -> None:
    """A checkpoint of another spec may only be one that this spec names."""
    fork = spec.fork
    if fork is None:
        raise CheckpointError(f"{state_file} was written for another spec; resume with the spec it holds, or start anew")
    if int(state["step"]) != fork.step or fork.weights_sha256 not in (None, state["weights_sha256"]):
        raise CheckpointError(f"{state_file} is not the checkpoint of step {fork.step} that the spec forks from; name the step it holds")


def read_state(state_file: Path) -> dict[str, Any]:
    """The JSON half of a checkpoint.

    Raises:
        CheckpointError: if it is missing, damaged, or of a format this version does not know.
    """
    try:
        state: dict[str, Any] = json.loads(state_file.read_text())
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{state_file} cannot be read ({error}); resume from an earlier checkpoint") from error
    if state.get("format") != FORMAT:
        raise CheckpointError(f"{state_file} has format {state.get('format')}, this version reads {FORMAT}; use the version that wrote it")
    return state


def latest_checkpoint(folder: Path) -> Path | None:
    """The state file of the newest checkpoint in a folder whose digest holds; damaged ones are passed over."""
    states = sorted((file for file in folder.glob("*.json") if file.stem.isdigit()), key=lambda file: -int(file.stem))
    for state_file in states:
        weights = state_file.with_suffix(".safetensors")
        try:
            if weights.is_file() and _sha256(weights) == read_state(state_file)["weights_sha256"]:
                return state_file
        except CheckpointError:
            continue
    return None


def publish(temporary: Path, final: Path) -> None:
    """Make a finished file durable under its final name: flush it, rename it, flush the folder."""
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(final)
    folder = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def continues(held: dict[str, Any], wanted: ExperimentSpec) -> bool:
    """Whether a run of the wanted spec passes through a checkpoint of the held one: the same, but for when and why it ends.

    No step's draws depend on how many are to come, so a longer run shares the whole past of a shorter one. A field that the
    held spec does not know yet has its default there.
    """
    try:
        written_for = type(wanted).model_validate(held)
    except ValidationError:
        return False
    ending = {name: getattr(wanted, name) for name in wanted.ENDING}
    return written_for.model_copy(update=ending) == wanted and written_for.steps <= wanted.steps


def _write_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    try:
        save_file(tensors, path)
    except SafetensorError as error:
        # Of a full disk it makes an error of its own kind, which nobody would take for one that passes.
        raise OSError(f"{path}: {error}") from error


def _tensors(trainer: Trainer) -> dict[str, Tensor]:
    parts = {
        "network": trainer.network.state_dict(),
        "ema": trainer.average.state(),
        **{f"ema{name}": average.state() for name, average in trainer.further.items()},
        "optimizer": {f"{index}.{name}": value for index, slots in trainer.remembered.items() for name, value in slots.items()},
    }
    return {f"{part}/{name}": value.detach().cpu().contiguous() for part, tensors in parts.items() for name, value in tensors.items()}


def _state(trainer: Trainer) -> dict[str, Any]:
    spec: DenoiserSpec = trainer.spec
    return {
        "step": trainer.step,
        "spec": spec.model_dump(mode="json"),
        "data_sha256": trainer.data_sha256,
        "labels_sha256": trainer.labels_sha256,
        "code_version": code_version(),
        "torch_version": torch.__version__,
        "machine_code": machine_code(trainer.x_0.device),
        "device": str(trainer.x_0.device),
        "randomness": "every generator is seeded by (seed, stream, step); no generator state is needed",
    }


def _part(tensors: dict[str, Tensor], part: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{part}/"): value for name, value in tensors.items() if name.startswith(f"{part}/")}


def _optimizer_slots(tensors: dict[str, Tensor]) -> dict[int, Slots]:
    slots: dict[int, Slots] = {}
    for address, value in tensors.items():
        index, name = address.split(".", 1)
        slots.setdefault(int(index), {})[name] = value
    return slots


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
