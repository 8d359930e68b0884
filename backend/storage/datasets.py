"""Data sets registered under a name, and what a run's spec holds of them."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.storage.flush import upsert
from backend.storage.listing import setting
from backend.storage.tables import Artifact, Dataset, Run
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.datasets import DATASETS
from tauscope.datasets.images import ALIASES
from tauscope.datasets.source import DatasetError, slices
from tauscope.specs import ResolvedRun, SpecError
from tauscope.specs.dataset import DatasetSpec, RegisteredSpec

FORMAT = "images"


def registered(session: Session) -> list[Dataset]:
    """Every registered data set, by name."""
    return list(session.scalars(select(Dataset).order_by(Dataset.name)))


def insert(session: Session, row: Dataset, n_bytes: int) -> None:
    """Add a data set with the archive it refers to, if it has one.

    Raises:
        IntegrityError: if the name was taken meanwhile.
    """
    if row.sha256 is not None:
        # The update locks a row that is there already, so that nobody drops it meanwhile.
        upsert(session, Artifact, [{"sha256": row.sha256, "n_bytes": n_bytes}], replace=("n_bytes",))
    session.add(row)
    session.flush()


def going_on(session: Session, name: str) -> int:
    """How many runs on a data set are not over."""
    on_it = (setting("dataset.name") == name, Run.state.not_in(TERMINAL_STATES))
    return session.scalars(select(func.count()).select_from(Run).where(*on_it)).one()


def pin_datasets(session: Session, runs: Sequence[ResolvedRun]) -> tuple[ResolvedRun, ...]:
    """The runs, each on a registered data set with what its name stands for.

    Raises:
        SpecError: if a name stands for nothing, or for another place than the spec says.
    """
    rows = {row.name: row for row in registered(session)}
    return tuple(_pinned(run, rows) for run in runs)


def _pinned(run: ResolvedRun, rows: dict[str, Dataset]) -> ResolvedRun:
    asked = run.spec.images
    if asked is None:
        return run
    built_in = asked.name in DATASETS or asked.name in ALIASES
    if built_in and asked.registered is None:
        return run
    if built_in:
        return _with(run, asked.model_copy(update={"registered": None}))
    if asked.name not in rows:
        known = ", ".join([*DATASETS, *rows])
        raise SpecError.single(
            "dataset.name", f"there is no data set {asked.name!r}", f"Choose from {known}, or register it on the page Data"
        )
    return _with(run, _stood_for(asked, rows[asked.name]))


def _stood_for(asked: DatasetSpec, row: Dataset) -> DatasetSpec:
    if asked.path is not None and asked.path != row.path:
        raise SpecError.single("dataset.path", f"is another place than {row.name} was registered with", "Leave it out: the name says it")
    pinned = asked.model_copy(update={"path": row.path, "registered": RegisteredSpec(format=FORMAT, sha256=row.sha256)})
    try:
        slices(row.card["n_images"], pinned)
    except DatasetError as error:
        raise SpecError.single(error.field, error.message, error.remedy) from error
    return pinned


def _with(run: ResolvedRun, dataset: DatasetSpec) -> ResolvedRun:
    return replace(run, spec=run.spec.model_copy(update={"dataset": dataset}))


def keep_remarks(session: Session, run_id: str, remarks: Sequence[str]) -> None:
    """Let a run say what is worth knowing of its images, in a transaction that holds its row."""
    session.execute(update(Run).where(Run.id == run_id).values(remarks=list(remarks)), execution_options={"synchronize_session": False})
