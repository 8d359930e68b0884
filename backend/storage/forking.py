"""The checkpoint that a run forks from: the new run refers to the same files, and starts at its step."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.storage.tables import Run, RunFile
from tauscope.specs.fork import ForkSpec


class ForkGoneError(Exception):
    """The checkpoint was dropped meanwhile."""


def begin_from(session: Session, run: Run, fork: ForkSpec) -> str:
    """Give a new run the checkpoint it forks from as its own first one; what happened, in words.

    Raises:
        ForkGoneError: if the checkpoint is not there any more.
    """
    wanted = (RunFile.run_id == fork.run, RunFile.step == fork.step, RunFile.kind.in_(["weights", "state"]))
    # Locked, so that nobody drops the files before this run refers to them.
    files = session.scalars(select(RunFile).where(*wanted).with_for_update()).all()
    if fork.weights_sha256 not in {file.sha256 for file in files} or len(files) != 2:
        raise ForkGoneError(f"the checkpoint of step {fork.step:,} of run {fork.run} was dropped meanwhile")
    session.add_all(RunFile(run_id=run.id, path=file.path, sha256=file.sha256, kind=file.kind, step=file.step) for file in files)
    run.checkpoint_step = run.step = fork.step
    return f"from the checkpoint of step {fork.step:,} of run {fork.run}"
