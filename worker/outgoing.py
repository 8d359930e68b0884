"""Results on their way from the child to the database, in the order in which they came."""

import queue
import threading
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import structlog

from backend.storage.artifacts import ArtifactStore
from backend.storage.flush import FileRecord
from tauscope.contracts.points import Point
from tauscope.execution.events import CheckpointWritten, DatasetWritten, Measured, PredictionsWritten, SamplesWritten, TrainerEvent

RETRY_SECONDS = 1.0

log = structlog.get_logger()


@dataclass(frozen=True)
class Source:
    """A file that the child wrote."""

    path: Path
    kind: str
    step: int | None = None


@dataclass
class Item:
    """What one event brought; ``records`` stay ``None`` until its files are in the store."""

    points: tuple[Point, ...] = ()
    sources: tuple[Source, ...] = ()
    checkpoint: int | None = None
    unevaluated: bool = False
    records: tuple[FileRecord, ...] | None = None


@dataclass(frozen=True)
class Batch:
    """The results that may be written now: everything before the first file that is not stored yet."""

    size: int
    points: tuple[Point, ...]
    files: tuple[FileRecord, ...]
    checkpoint: int | None
    unevaluated: tuple[int, ...]  # Checkpoints whose samples are left to another process.


class Outgoing:
    """Stores files in a thread of its own, so that a slow store holds up results, but never the lease."""

    def __init__(self, store: ArtifactStore, folder: Path, *, patience_seconds: float) -> None:
        self._store = store
        self._folder = folder
        self._patience = patience_seconds
        self._items: deque[Item] = deque()
        self._unstored: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        self._waiting_since: float | None = None
        self._trouble = ""
        threading.Thread(target=self._store_all, name="artifacts", daemon=True).start()

    def add(self, event: TrainerEvent) -> None:
        """Queue what the event brought, if anything."""
        item = _item(event)
        if item is None:
            return
        self._items.append(item)
        if item.sources:
            self._unstored.put(item)
        else:
            item.records = ()

    @property
    def empty(self) -> bool:
        return not self._items

    @property
    def stored(self) -> bool:
        """Whether every file is in the store."""
        return all(item.records is not None for item in self._items)

    def trouble(self) -> str:
        """Why files cannot be stored, once that has lasted longer than the patience; else nothing."""
        since = self._waiting_since
        if since is None or time.monotonic() - since < self._patience:
            return ""
        return f"a file could not be stored for {self._patience:.0f} s: {self._trouble or 'the artifact store does not answer'}"

    def ready(self) -> Batch:
        """Everything that may be written now."""
        items = []
        for item in self._items:
            if item.records is None:
                break
            items.append(item)
        return Batch(
            size=len(items),
            points=tuple(point for item in items for point in item.points),
            files=tuple(record for item in items for record in item.records or ()),
            unevaluated=tuple(item.checkpoint for item in items if item.unevaluated and item.checkpoint is not None),
            checkpoint=max((item.checkpoint for item in items if item.checkpoint is not None), default=None),
        )

    def written(self, batch: Batch) -> None:
        """Forget what has been committed."""
        for _ in range(batch.size):
            self._items.popleft()

    def close(self) -> None:
        """Let the thread end."""
        self._patience = 0.0
        self._unstored.put(None)

    def _store_all(self) -> None:
        while (item := self._unstored.get()) is not None:
            self._waiting_since = time.monotonic()
            records = [self._store_one(source) for source in item.sources]
            if any(record is None for record in records):
                return  # The trouble stays, and ends the segment.
            item.records = tuple(record for record in records if record)
            self._waiting_since = None

    def _store_one(self, source: Source) -> FileRecord | None:
        while True:
            try:
                sha256, n_bytes = self._store.put(source.path)
            except OSError as error:
                self._trouble = str(error)
                log.warning("artifact_not_stored", path=str(source.path), error=str(error))
                if self.trouble():
                    return None
                time.sleep(RETRY_SECONDS)
                continue
            return FileRecord(source.path.relative_to(self._folder).as_posix(), sha256, n_bytes, source.kind, source.step)


def _item(event: TrainerEvent) -> Item | None:
    match event:
        case DatasetWritten():
            record = [Source(Path(event.record), "dataset")] if event.record else []
            return Item(sources=(Source(Path(event.train), "train"), Source(Path(event.held_out), "held_out"), *record))
        case Measured():
            return Item(points=event.points)
        case SamplesWritten():
            return Item(sources=(Source(Path(event.path), "samples", event.step),))
        case PredictionsWritten():
            return Item(sources=(Source(Path(event.path), "predictions", event.step),))
        case CheckpointWritten():
            files = (Source(Path(event.weights), "weights", event.step), Source(Path(event.state), "state", event.step))
            return Item(sources=files, checkpoint=event.step, unevaluated=event.unevaluated)
        case _:
            return None
