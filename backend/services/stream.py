"""What is new in an experiment: read from the database, sent as server-sent events."""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import orjson
import structlog
from fastapi.sse import ServerSentEvent
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool

from backend.services.context import Context
from backend.services.experiments import invalid_field, required
from backend.services.views import run_view
from backend.storage import curves
from backend.storage.census import living_workers, server_time
from backend.storage.cursor import InvalidCursorError, Mark, format_cursor, parse_cursor
from backend.storage.experiments import Found, find_experiment
from backend.storage.offers import offer_of
from backend.storage.reading import reading
from backend.storage.tables import Run, Worker
from tauscope.contracts.run_views import RunView
from tauscope.contracts.runs import TERMINAL_STATES
from tauscope.contracts.stream import ExperimentNews, RewindNews

POLL_SECONDS = 0.5
POLL_SECONDS_WHEN_OVER = 2.0
RETRY_MS = 1000

log = structlog.get_logger()


class ExperimentStream:
    """One reader of an experiment: where it stands, and what it was told last."""

    def __init__(self, context: Context, experiment_id: str, marks: list[Mark]) -> None:
        self._context = context
        self._id = experiment_id
        self._marks = marks
        self._fingerprint: tuple[object, ...] | None = None
        self._runs: dict[str, RunView] = {}
        self._news: ExperimentNews | None = None
        self.over = False

    @classmethod
    def open(cls, context: Context, experiment_id: str, cursor: str | None) -> "ExperimentStream":
        """Start at a cursor, or at the very beginning.

        Raises:
            UnknownExperimentError: if there is no such experiment.
            InvalidRequestError: if the cursor is none of it.
        """
        with reading(context.sessions) as session:
            n_runs = len(required(session, experiment_id).experiment.runs)
        try:
            marks = parse_cursor(cursor, n_runs) if cursor else (Mark(0, 0),) * n_runs
        except InvalidCursorError as error:
            raise invalid_field("cursor", str(error), "Take it from the curves, or leave it out to get everything") from error
        return cls(context, experiment_id, list(marks))

    def poll(self) -> list[ServerSentEvent] | None:
        """What is new since the last call; ``None`` when the experiment was deleted. Two cheap queries if nothing is."""
        with reading(self._context.sessions) as session:
            workers = living_workers(session)
            fingerprint = (*curves.fingerprint(session, self._id), *(offer_of(worker) for worker in workers if not worker.draining))
            if fingerprint == self._fingerprint:
                return []
            found = find_experiment(session, self._id)
            if found is None:
                return None
            self._marks += [Mark(0, 0)] * (len(found.experiment.runs) - len(self._marks))  # An experiment can grow.
            events = [event for place, run in enumerate(found.experiment.runs) for event in self._run_events(session, place, run, workers)]
            now = server_time(session)
        self._fingerprint = fingerprint
        self.over = found.state in TERMINAL_STATES
        return events + list(self._experiment_events(found, now))

    def _run_events(self, session: Any, place: int, run: Run, workers: Sequence[Worker]) -> Iterator[ServerSentEvent]:
        seen, now = self._marks[place], Mark(run.epoch, run.seq)
        if seen.epoch > now.epoch or seen.seq > now.seq:
            # The database was restored from an older copy: what the reader holds is not what happened.
            seen = Mark(0, 0)
            yield _event("rewind", RewindNews(run_id=run.id, step=-1))
        elif seen != now and seen.epoch > 0:
            step = curves.rewound_to(session, run.id, seen)
            if step is not None:
                yield _event("rewind", RewindNews(run_id=run.id, step=step))
        points = curves.points_since(session, run.id, seen.seq) if seen != now else {}
        self._marks[place] = now
        if points:
            yield _event("points", {"run_id": run.id, "metrics": points}, cursor=self._marks)
        view = run_view(run, workers)
        if view != self._runs.get(run.id):
            self._runs[run.id] = view
            yield _event("run", view, cursor=self._marks)

    def _experiment_events(self, found: Found, now: float) -> Iterator[ServerSentEvent]:
        fits = self._context.fits.of(found.experiment)
        news = ExperimentNews(id=self._id, state=found.state, fits=fits, server_time=now)
        if self._news is None or (news.state, news.fits) != (self._news.state, self._news.fits):
            self._news = news
            yield _event("experiment", news, cursor=self._marks)


async def follow(context: Context, stream: ExperimentStream) -> AsyncIterator[ServerSentEvent]:
    """Yield events until the reader leaves, the experiment is deleted, or the server stops."""
    yield ServerSentEvent(comment="open", retry=RETRY_MS)
    while not context.closing.begun:
        try:
            events = await run_in_threadpool(stream.poll)
        except OperationalError as error:
            # The reader connects again and resumes from its cursor.
            log.warning("stream_lost_database", error=str(error))
            return
        if events is None:
            return
        for event in events:
            yield event
        await context.closing.wait(POLL_SECONDS_WHEN_OVER if stream.over else POLL_SECONDS)


def _event(name: str, data: RunView | RewindNews | ExperimentNews | dict[str, Any], *, cursor: list[Mark] | None = None) -> ServerSentEvent:
    text = orjson.dumps(data).decode() if isinstance(data, dict) else data.model_dump_json()
    return ServerSentEvent(event=name, raw_data=text, id=format_cursor(cursor) if cursor is not None else None)
