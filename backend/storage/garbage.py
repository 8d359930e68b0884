"""Removing artifacts that nothing refers to, though a worker may be about to refer to the very same bytes.

A worker stores a file and only then commits a row that refers to it. Between the two nothing in the database speaks of
the file, but its date is new: ``ArtifactStore.put`` sees to that. So only files older than a grace age are garbage, and
each is moved aside before it is looked at for the last time: whoever stores the same bytes after the move finds nothing
in place and writes them anew, and whoever did so before has left a new date or, by now, a row.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore, StoredFile
from backend.storage.database import db_now
from backend.storage.reading import reading
from backend.storage.references import referenced, unreferenced
from backend.storage.references import refers_to_any as _refers_to_any
from backend.storage.sightings import Sightings
from backend.storage.tables import Artifact, Evaluation, Run
from tauscope.contracts.runs import RunState

T = TypeVar("T")

_CHUNK = 500  # Databases bound the number of parameters of a statement.


@dataclass(frozen=True)
class Garbage:
    """What was collected, or in a dry run would be: rows of the table, files of the store, their bytes."""

    rows: int
    files: int
    n_bytes: int


NOTHING = Garbage(rows=0, files=0, n_bytes=0)


def refers_to_any(sessions: sessionmaker[Session]) -> bool:
    """Whether any run or data set has a file at all."""
    with reading(sessions) as session:
        return _refers_to_any(session)


class Grace:
    """Which files are old enough: by the store's clock, and for a collector that lives for long also by one that does not step."""

    def __init__(self, store: ArtifactStore, sightings: Sightings | None) -> None:
        self._seconds = store.grace_seconds
        self._cutoff = store.now() - store.grace_seconds
        self._sightings = sightings

    def is_over(self, name: str, date: float) -> bool:
        """Whether a file that nobody refers to is past the grace."""
        waited = self._sightings is None or self._sightings.seconds(name, date) >= self._seconds
        return waited and date < self._cutoff


def collect(sessions: sessionmaker[Session], store: ArtifactStore, *, dry_run: bool = False, sightings: Sightings | None = None) -> Garbage:
    """Remove rows that no run refers to, files that no run refers to, and what broken-off writes left, once past the grace age.

    Any number may collect at the same time. Where moving a file renews its date, as in an object store, what is set
    aside now is removed by a collection one grace later. With ``sightings`` only files go that these have seen for one
    grace; without, the store's dates are believed.

    Raises:
        StoreMissingError: if runs have files, and there is no store.
    """
    if not store.marker.present() and refers_to_any(sessions):
        store.marker.require()
    rows = _drop_old_rows(sessions, store.grace_seconds, dry_run=dry_run)
    if not store.marker.present():
        return Garbage(rows, 0, 0)
    if sightings is not None:
        sightings.begin_round()
    grace = Grace(store, sightings)
    garbage = list(_candidates(sessions, store, grace))
    removed = garbage if dry_run else [file for file in garbage if _remove(sessions, store, file, grace)]
    return Garbage(rows, len(removed), sum(file.n_bytes for file in removed))


def discard(sessions: sessionmaker[Session], store: ArtifactStore, sha256s: Collection[str]) -> None:
    """Free what has just lost its last reference at once, if that is safe; what is left is collected later.

    It is safe while nobody computes: then only a later claim can refer to a file, and storing it changes its date.
    """
    if not store.keeps_dates:
        return
    found = [(file, store.modified(file.path)) for file in map(store.find, sha256s) if file]
    with reading(sessions) as session:
        if _somebody_computes(session):
            return
    for file, date in found:
        aside = store.set_aside(file)
        if _referenced(sessions, [file.name]) or store.modified(aside.path) != date:
            store.put_back(aside)
        else:
            store.remove(aside)


def lock_artifacts(session: Session, which: ColumnElement[bool]) -> list[str]:
    """Lock rows of the artifact table. A worker that refers to one at this moment is waited for; the next statement sees what it wrote."""
    return list(session.scalars(select(Artifact.sha256).where(which).order_by(Artifact.sha256).with_for_update()))


def drop_unreferenced(session: Session, locked: Sequence[str]) -> list[str]:
    """Delete those locked rows that no run refers to, and return them, for the store to drop."""
    return [
        sha256
        for chunk in _chunks(locked)
        for sha256 in session.scalars(
            delete(Artifact).where(Artifact.sha256.in_(chunk), unreferenced()).returning(Artifact.sha256),
            execution_options={"synchronize_session": False},
        )
    ]


def _drop_old_rows(sessions: sessionmaker[Session], grace_seconds: float, *, dry_run: bool) -> int:
    old = (Artifact.created_at < db_now() - grace_seconds) & unreferenced()
    with reading(sessions) as session:
        count = session.scalars(select(func.count()).select_from(Artifact).where(old)).one()
    # Mostly there are none, and then nobody's write lock is taken.
    if dry_run or not count:
        return count
    with sessions.begin() as session:
        return len(drop_unreferenced(session, lock_artifacts(session, old)))


def _candidates(sessions: sessionmaker[Session], store: ArtifactStore, grace: Grace) -> Iterator[StoredFile]:
    """Files that nobody refers to and that are old, and whatever a collector that was killed has left aside."""
    for chunk in _chunks(list(store.files())):
        wanted = _referenced(sessions, [file.name for file in chunk if file.place == "kept"])
        for file in chunk:
            date = None if file.name in wanted else store.modified(file.path)
            if date is not None and (grace.is_over(file.name, date) or file.place == "aside"):
                yield file


def _remove(sessions: sessionmaker[Session], store: ArtifactStore, file: StoredFile, grace: Grace) -> bool:
    if file.place == "incoming":
        store.remove(file)
        return True
    aside = store.set_aside(file) if file.place == "kept" else file
    date = store.modified(aside.path)
    young = date is None or not grace.is_over(file.name, date)
    if _referenced(sessions, [file.name]) or (young and store.keeps_dates):
        store.put_back(aside)
    elif not young:
        store.remove(aside)
    return not young and not store.exists(file.name)


def _referenced(sessions: sessionmaker[Session], sha256s: Sequence[str]) -> set[str]:
    with reading(sessions) as session:
        return referenced(session, sha256s)


def _somebody_computes(session: Session) -> bool:
    # Whether a lease has run out does not matter: its holder may write until another claims the run.
    return bool(session.scalar(select(exists().where(Run.state == RunState.RUNNING)))) or bool(
        session.scalar(select(exists(Evaluation.step)))
    )


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
