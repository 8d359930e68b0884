"""Checkpoints as rows: their size, who pinned them, who still needs them, and dropping the rest."""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import delete, exists, func, select, update
from sqlalchemy.orm import Session, aliased

from backend.storage import leases
from backend.storage.claims import add_event
from backend.storage.garbage import drop_unreferenced, lock_artifacts
from backend.storage.refining import unrefined
from backend.storage.tables import Artifact, CheckpointPin, Evaluation, RemeasuredStep, Remeasurement, Run, RunFile
from tauscope.contracts.runs import TERMINAL_STATES

_IS_CHECKPOINT = RunFile.kind.in_(["weights", "state"])


class CheckpointFile(NamedTuple):
    """One file of a checkpoint; ``references`` counts the files of all runs that are the same bytes, this one included."""

    run_id: str
    step: int
    sha256: str
    n_bytes: int
    references: int


def lock_runs(session: Session, run_ids: Sequence[str]) -> list[Run]:
    """The runs, which nobody claims or flushes until this transaction ends."""
    return list(session.scalars(select(Run).where(Run.id.in_(run_ids)).order_by(Run.id).with_for_update()))


def ended_runs(session: Session, *, asking: bool = False) -> set[tuple[str, int]]:
    """The runs that are over, refined where that was wanted, and of which no checkpoint awaits its evaluation, or is to be measured again.

    Each with its epoch: one that was extended is another. With ``asking`` only those whose own spec asks to be pruned.
    """
    awaited = exists().where(Evaluation.run_id == Run.id)
    again = exists().where(Remeasurement.run_id == Run.id, RemeasuredStep.remeasurement_id == Remeasurement.id, leases.to_be_done())
    ended = select(Run.id, Run.epoch).where(Run.state.in_(TERMINAL_STATES), ~awaited, ~again, ~unrefined())
    if asking:
        ended = ended.where(Run.spec["retention"].as_string() == "pruned")
    return {(row.id, row.epoch) for row in session.execute(ended)}


def checkpoint_files(session: Session, run_ids: Sequence[str]) -> list[CheckpointFile]:
    """Every file of every checkpoint of the runs, by run and step."""
    other = aliased(RunFile)
    references = select(func.count()).select_from(other).where(other.sha256 == RunFile.sha256).scalar_subquery()
    columns = (RunFile.run_id, RunFile.step, RunFile.sha256, Artifact.n_bytes, references)
    query = select(*columns).join(Artifact, Artifact.sha256 == RunFile.sha256).where(RunFile.run_id.in_(run_ids), _IS_CHECKPOINT)
    return [CheckpointFile(*row) for row in session.execute(query.order_by(RunFile.run_id, RunFile.step))]


def pinned_steps(session: Session, run_id: str) -> set[int]:
    """The steps that the run's owner wants kept; one that a resume computes again need not have a checkpoint now."""
    return set(session.scalars(select(CheckpointPin.step).where(CheckpointPin.run_id == run_id)))


def awaited_steps(session: Session, run_id: str) -> set[int]:
    """The steps whose samples are still to be drawn from their checkpoint, or which are still to be measured again."""
    return set(session.scalars(leases.awaited_steps(run_id)))


def set_pin(session: Session, run_id: str, step: int, *, pinned: bool) -> None:
    """Pin a checkpoint or let it go, and record it. Doing so twice changes nothing."""
    lock_runs(session, [run_id])
    held = session.get(CheckpointPin, (run_id, step))
    if (held is not None) == pinned:
        return
    if held is None:
        session.add(CheckpointPin(run_id=run_id, step=step))
    else:
        session.delete(held)
    _note(session, run_id, "pinned" if pinned else "unpinned", f"the checkpoint of step {step}, by its owner")


def bytes_freed(files: Sequence[CheckpointFile], dropped: Mapping[str, Collection[int]]) -> dict[str, int]:
    """For each run, the size of what nothing refers to once these steps are gone; bytes that several runs drop count once."""
    going = [file for file in files if file.step in dropped.get(file.run_id, ())]
    losing: dict[str, int] = {}
    for file in going:
        losing[file.sha256] = losing.get(file.sha256, 0) + 1
    last = {file.sha256: file for file in going if losing[file.sha256] == file.references}
    freed = dict.fromkeys(dropped, 0)
    for file in last.values():
        freed[file.run_id] += file.n_bytes
    return freed


def drop_checkpoints(session: Session, run_id: str, steps: Collection[int]) -> list[str]:
    """Drop weights and training state at these steps, and return the artifacts that nothing refers to any more.

    Samples, points and images stay. The run is locked.
    """
    doomed = (RunFile.run_id == run_id, _IS_CHECKPOINT, RunFile.step.in_(list(steps)))
    held = lock_artifacts(session, Artifact.sha256.in_(select(RunFile.sha256).where(*doomed)))
    session.execute(delete(RunFile).where(*doomed), execution_options={"synchronize_session": False})
    listed = ", ".join(f"{step:,}" for step in sorted(steps))
    _note(session, run_id, "pruned", f"weights and training state of {len(steps)} checkpoints dropped: steps {listed}")
    return drop_unreferenced(session, held)


def _note(session: Session, run_id: str, name: str, detail: str) -> None:
    # The flush number moves on, so that every open page hears of it.
    seq = session.execute(update(Run).where(Run.id == run_id).values(seq=Run.seq + 1).returning(Run.seq)).scalar_one()
    add_event(session, run_id, seq, name, detail)
