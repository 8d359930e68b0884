"""Where the loops of a random-features run stand: their arrays, and the generators of their noise."""

from collections.abc import Sequence
from pathlib import Path

import torch

from tauscope.specs.random_features import RandomFeaturesSpec
from tauscope.theory.rf_loop import Loop
from tauscope.training.checkpoints import CheckpointError, CheckpointFiles, continues, read_checkpoint, write_checkpoint
from tauscope.version import code_version


def save_loops(loops: Sequence[Loop], spec: RandomFeaturesSpec, folder: Path) -> CheckpointFiles:
    """Write the checkpoint of the step that all loops stand at.

    Raises:
        OSError: if it cannot be written.
    """
    tensors = {f"{place}.{name}": torch.from_numpy(array) for place, loop in enumerate(loops) for name, array in loop.arrays.items()}
    noise = [rng.bit_generator.state if (rng := loop.gradient.rng) else None for loop in loops]
    state = {"step": loops[0].steps, "spec": spec.model_dump(mode="json"), "code_version": code_version(), "noise": noise}
    return write_checkpoint(tensors, state, folder)


def load_loops(loops: Sequence[Loop], spec: RandomFeaturesSpec, state_file: Path) -> int:
    """Put the loops where they stood; the step.

    Raises:
        CheckpointError: if the files are damaged or belong to another spec.
    """
    state, tensors = read_checkpoint(state_file)
    if not continues(state["spec"], spec):
        raise CheckpointError(f"{state_file} belongs to another spec; begin from scratch")
    for place, (loop, noise) in enumerate(zip(loops, state["noise"], strict=True)):
        loop.steps = int(state["step"])
        for name, array in loop.arrays.items():
            array[:] = tensors[f"{place}.{name}"].numpy()
        if loop.gradient.rng is not None:
            loop.gradient.rng.bit_generator.state = noise
    return int(state["step"])
