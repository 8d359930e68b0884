"""What still refers to an artifact: a run's file, or a registered data set."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import Session

from backend.storage.tables import Artifact, Dataset, RunFile


def referenced(session: Session, sha256s: Sequence[str]) -> set[str]:
    """Those of the artifacts that something refers to."""
    found = (select(column).where(column.in_(sha256s)) for column in (RunFile.sha256, Dataset.sha256))
    return {sha256 for query in found for sha256 in session.scalars(query) if sha256 is not None}


def unreferenced() -> ColumnElement[bool]:
    """Artifacts that nothing refers to."""
    return ~or_(exists().where(RunFile.sha256 == Artifact.sha256), exists().where(Dataset.sha256 == Artifact.sha256))


def refers_to_any(session: Session) -> bool:
    """Whether anything has a file in the store at all."""
    return bool(session.scalar(select(or_(exists(RunFile.sha256), exists().where(Dataset.sha256.is_not(None))))))
