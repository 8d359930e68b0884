"""What is kept of a campaign that failed: what every thread does, the whole logs, the queues, runs, evaluations and workers."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import redis
from sqlalchemy import Select, select
from sqlalchemy.exc import SQLAlchemyError

from backend.storage.database import db_now, open_database
from backend.storage.tables import Attempt, Evaluation, Run, RunEvent, Worker
from launcher.broker import connect
from tests.chaos.cluster import ClusterStack
from tests.chaos.embedded import EmbeddedStack
from tests.chaos.processes import send
from tests.chaos.stacks import MODULES

_QUEUES = ("train.default", "evaluate.default")


@contextmanager
def told_on_failure(stack: EmbeddedStack | ClusterStack, folder: Path) -> Iterator[None]:
    """Write into the folder why the stack may have hung, should what is done inside fail: by itself it says nothing."""
    try:
        yield
    except BaseException:
        for part in MODULES:
            send(stack.pids(part), signal.SIGUSR1)  # They write their threads' stacks into their logs.
        time.sleep(1)
        folder.mkdir(parents=True, exist_ok=True)
        for log in (stack.log, *(stack.home / "logs").glob("*.log")):
            (folder / f"chaos-failed-{stack.name}-{log.name}").write_bytes(log.read_bytes())
        (folder / f"chaos-failed-{stack.name}.txt").write_text("\n".join([*_broker(stack), *_database(stack)]) + "\n")
        raise


def _broker(stack: EmbeddedStack | ClusterStack) -> Iterator[str]:
    with suppress(redis.RedisError), connect(stack.broker_url) as client:
        for name in _QUEUES:
            yield f"{name}: {client.llen(name)} messages"
        return
    yield "the broker does not answer"


def _database(stack: EmbeddedStack | ClusterStack) -> Iterator[str]:
    tables: list[Select[tuple[object, ...]]] = [
        select(Worker.name, Worker.seen_at - db_now()),
        select(Run.id, Run.state, Run.epoch, Run.step, Run.stalls, Run.lease_until - db_now(), Run.enqueued_at - db_now(), Run.reason),
        select(Evaluation.run_id, Evaluation.step, Evaluation.stalls, Evaluation.lease_until - db_now(), Evaluation.enqueued_at - db_now()),
        select(Attempt.run_id, Attempt.epoch, Attempt.from_step, Attempt.to_step, Attempt.ended_at - db_now(), Attempt.outcome),
        select(RunEvent.run_id, RunEvent.seq, RunEvent.name, RunEvent.detail, RunEvent.at - db_now()),
    ]
    engine = open_database(stack.database_url)
    for query in tables:
        yield ", ".join(column["name"] or "?" for column in query.column_descriptions)
        try:
            with engine.connect().execution_options(read_only=True) as connection:
                yield from (" ".join(map(str, row)) for row in connection.execute(query))
        except SQLAlchemyError as error:
            yield f"the database does not answer: {error}"
    engine.dispose()
