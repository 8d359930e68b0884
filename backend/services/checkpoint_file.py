"""A checkpoint of a run as one file: its weights and its training state, under a name that says what they are."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from backend.services.context import Context
from backend.services.errors import CheckpointDroppedError, UnknownCheckpointError
from backend.services.experiments import required_run
from backend.storage.files import checkpoint_files, checkpoints_up_to, sample_steps
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.figures.naming import file_stem
from tauscope.specs.schedule import MAX_STEPS
from tauscope.specs.stored import n_train_of


class CheckpointFile(NamedTuple):
    """Where the zip file lies, and what it is called."""

    path: Path
    name: str


def checkpoint_file(context: Context, run_id: str, step: int) -> CheckpointFile:
    """Write the zip file of a checkpoint; the caller removes it. Its two files are called as it is and end as a checkpoint's do.

    Raises:
        UnknownRunError: if there is no such run.
        UnknownCheckpointError: if it never had a checkpoint at this step.
        CheckpointDroppedError: if it had one, which pruning dropped.
    """
    with reading(context.sessions) as session:
        run = required_run(session, run_id)
        files = checkpoint_files(session, run_id, step)
        if files is None:
            there = ", ".join(f"{item.step:,}" for item in reversed(checkpoints_up_to(session, run_id, MAX_STEPS))) or "none"
            raise _missing(run_id, step, there, had_it=step in sample_steps(session, run_id))
        stem = _stem(run, step)
    with tempfile.NamedTemporaryFile(prefix="tauscope-checkpoint-", suffix=".zip", delete=False) as target:
        path = Path(target.name)
    try:
        _write(context, path, {f"{stem}.safetensors": files.weights[1], f"{stem}.json": files.state[1]})
    except BaseException:
        path.unlink()
        raise
    return CheckpointFile(path, f"{stem}.zip")


def _missing(run_id: str, step: int, there: str, *, had_it: bool) -> UnknownCheckpointError | CheckpointDroppedError:
    if not had_it:
        return UnknownCheckpointError(f"Run {run_id} has no checkpoint at step {step:,}", f"It has those of: {there}")
    return CheckpointDroppedError(
        f"The checkpoint of step {step:,} of run {run_id} was pruned; its samples and points are kept",
        f"Take one that is there: {there}. Pin those that shall stay, or launch the run again with its seed",
    )


def _stem(run: Run, step: int) -> str:
    spec: dict[str, Any] = run.spec
    part = f"{run.id}-n{n_train_of(spec)}-seed{spec['seed']}-step{step}"
    return file_stem(run.experiment.name, run.experiment_id, part, spec)


def _write(context: Context, path: Path, members: dict[str, str]) -> None:
    # Weights do not compress.
    with tempfile.TemporaryDirectory(prefix="tauscope-checkpoint-") as folder, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, sha256 in members.items():
            part = Path(folder) / "part"
            context.artifacts.fetch(sha256, part)
            archive.write(part, name)
