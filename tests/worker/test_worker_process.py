"""A real worker process and reconciler on a real broker: lost messages, killed and leaving workers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.flush import read_points
from backend.storage.outbox import TASKS, Outbox, broker_queue, send_wakeups
from backend.storage.tables import Run
from backend.storage.tables import Worker as WorkerRow
from launcher.broker import EmbeddedBroker, answers, connect, prepare_broker
from tauscope.contracts.runs import DEFAULT_QUEUE, RunState
from tauscope.specs import ImageDdpmSpec
from tests.service import wait_for
from tests.worker.fake_child import value

Sessions = sessionmaker[Session]
STEPS = 60
WHOLE = [(step, value(step)) for step in range(10, STEPS + 1, 10)]


class Broker:
    """An embedded broker that tests may kill and start again."""

    def __init__(self, plan: EmbeddedBroker) -> None:
        self.plan = plan
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.plan.command, stdout=subprocess.DEVNULL)
        wait_for(lambda: answers(self.plan.url))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def holds(self) -> set[str]:
        """The names of the lists of messages, and of whatever else Celery left there."""
        with connect(self.plan.url) as client:
            return {key.decode() for key in client.scan_iter() if not key.startswith(b"_kombu")}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(prepare_broker(tmp_path / "broker"))
    yield broker
    broker.kill()
    broker.plan.clean_up()


@pytest.fixture
def spawn(broker: Broker, database_url: str, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a module as a process on the test's database and broker."""
    environment = {
        **os.environ,
        "TAUSCOPE_HOME": str(tmp_path),
        "TAUSCOPE_DATABASE_URL": database_url,
        "TAUSCOPE_BROKER_URL": broker.plan.url,
        "TAUSCOPE_TRAINER_MODULE": "tests.worker.fake_child",
        "TAUSCOPE_SLOTS": "2",
        "TAUSCOPE_LEASE_SECONDS": "60",  # A busy machine may be late to renew it; the test that needs it to run out says so.
        "TAUSCOPE_FLUSH_SECONDS": "0.1",
        "TAUSCOPE_END_SECONDS": "60",
        "TAUSCOPE_RECONCILE_SECONDS": "0.2",
    }
    processes: list[subprocess.Popen[bytes]] = []
    log = (tmp_path / "log").open("ab")

    def start(module: str, **extra: str) -> subprocess.Popen[bytes]:
        # How long the reconciler waits before it sends a wake-up again is twice its lease.
        again = {"TAUSCOPE_LEASE_SECONDS": "1"} if module == "worker.reconciler" else {}
        processes.append(subprocess.Popen([sys.executable, "-m", module], env=environment | again | extra, stdout=log, stderr=log))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
    log.close()
    print((tmp_path / "log").read_text()[-6000:])


@pytest.fixture
def add_runs(add_run: Callable[..., str]) -> Callable[..., list[str]]:
    def add(count: int, steps: int = STEPS) -> list[str]:
        spec = ImageDdpmSpec(steps=steps).model_dump(mode="json")
        return [add_run(f"run-{index}", spec=spec, steps=steps) for index in range(count)]

    return add


def states(sessions: Sessions) -> set[str]:
    with sessions() as session:
        return set(session.scalars(select(Run.state)))


def curves(sessions: Sessions) -> list[list[tuple[int, float | None]]]:
    with sessions() as session:
        ids = session.scalars(select(Run.id)).all()
        points = [[p for p in read_points(session, run_id) if p.metric == "f_mem"] for run_id in ids]
    return [[(point.step, point.value) for point in curve] for curve in points]


def all_finished(sessions: Sessions) -> bool:
    return states(sessions) == {RunState.FINISHED}


def any_has_checkpoint(sessions: Sessions) -> bool:
    with sessions() as session:
        return any(session.scalars(select(Run.checkpoint_step)))


def test_every_message_sent_twice_trains_every_run_once(
    spawn: Callable[..., object], broker: Broker, sessions: Sessions, add_runs: Callable[..., list[str]]
) -> None:
    outbox = Outbox(broker.plan.url)
    ids = add_runs(5)
    assert send_wakeups(sessions, outbox, [*ids, *ids]) == 10
    spawn("worker")
    wait_for(lambda: all_finished(sessions))
    wait_for(lambda: broker.holds == set())
    with sessions() as session:
        assert set(session.scalars(select(Run.epoch))) == {1}
    assert curves(sessions) == [WHOLE] * 5
    outbox.close()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_messages_survive_a_killed_broker_and_lost_ones_are_sent_again(
    spawn: Callable[..., object], broker: Broker, sessions: Sessions, add_runs: Callable[..., list[str]]
) -> None:
    outbox = Outbox(broker.plan.url)
    ids = add_runs(3)
    send_wakeups(sessions, outbox, ids[:2])
    with connect(broker.plan.url) as client:
        # What came before this is on the disk when this is: the server writes its file once a second, a busy one later.
        client.set("last", "written")
        wait_for(lambda: client.execute_command("WAITAOF", 1, 0, 1_000)[0] == 1)
    broker.kill()
    assert send_wakeups(sessions, outbox, ids[2:]) == 0
    broker.start()
    assert outbox.depth() == 2
    with connect(broker.plan.url) as client:
        client.flushall()
    spawn("worker")
    spawn("worker.reconciler")
    wait_for(lambda: all_finished(sessions))
    assert curves(sessions) == [WHOLE] * 3
    outbox.close()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_worker_whose_slots_all_fell_free_while_the_broker_was_away_takes_messages_when_it_is_back(
    spawn: Callable[..., subprocess.Popen[bytes]], broker: Broker, sessions: Sessions, add_runs: Callable[..., list[str]]
) -> None:
    outbox = Outbox(broker.plan.url)
    ids = add_runs(4)
    worker = spawn("worker", FAKE_CHILD_STEP_SECONDS="0.02")
    send_wakeups(sessions, outbox, ids[:2])
    wait_for(lambda: any_has_checkpoint(sessions))
    broker.kill()
    wait_for(lambda: len(finished(sessions)) == 2)
    time.sleep(0.5)
    broker.start()
    send_wakeups(sessions, outbox, ids[2:])
    wait_for(lambda: all_finished(sessions))
    assert worker.poll() is None
    outbox.close()


@pytest.mark.parametrize("database_kind", ["postgres"])
def test_a_killed_worker_is_replaced_and_its_children_end(
    spawn: Callable[..., subprocess.Popen[bytes]],
    sessions: Sessions,
    add_runs: Callable[..., list[str]],
    expire_lease: Callable[[str], None],
    tmp_path: Path,
) -> None:
    ids = add_runs(2, steps=200)
    spawn("worker.reconciler")
    worker = spawn("worker", FAKE_CHILD_STEP_SECONDS="0.02")
    wait_for(lambda: any_has_checkpoint(sessions))
    children = subprocess.run(["pgrep", "-P", str(worker.pid)], capture_output=True, text=True, check=True).stdout.split()
    worker.kill()
    worker.wait()
    for run_id in ids:
        expire_lease(run_id)
    spawn("worker")
    wait_for(lambda: all_finished(sessions))
    assert [len(curve) for curve in curves(sessions)] == [20, 20]
    assert len(children) == 2
    for child in children:
        assert not Path(f"/proc/{child}/cmdline").exists()
    assert len(list((tmp_path / "scratch").iterdir())) == 1, "what the killed worker left is cleared"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_worker_asked_to_leave_checkpoints_and_gives_its_runs_back(
    spawn: Callable[..., subprocess.Popen[bytes]], broker: Broker, sessions: Sessions, add_runs: Callable[..., list[str]], tmp_path: Path
) -> None:
    add_runs(2, steps=50_000)
    spawn("worker.reconciler")
    worker = spawn("worker", FAKE_CHILD_STEP_SECONDS="0.02")  # Not more checkpoints than a busy machine can store.
    wait_for(lambda: any_has_checkpoint(sessions))
    assert spawn("worker.health").wait() == 0
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=60)
    with sessions() as session:
        for run in session.scalars(select(Run)):
            assert (run.state, run.lease_until, run.stalls) == (RunState.QUEUED, 0.0, 0)
            assert run.checkpoint_step == run.step
        assert session.scalars(select(WorkerRow)).all() == []
    assert list((tmp_path / "scratch").iterdir()) == []
    assert spawn("worker.health").wait() == 1
    assert broker.holds <= {broker_queue(DEFAULT_QUEUE, work) for work in TASKS}, "nothing waits for an acknowledgement"


def drain(sessions: Sessions, pid: int, wish: bool) -> None:
    row = update(WorkerRow).where(WorkerRow.name.endswith(f"-{pid}")).values(draining=wish).returning(WorkerRow.name)

    def asked() -> bool:
        with sessions.begin() as session:
            return session.execute(row).one_or_none() is not None

    wait_for(asked)  # A worker that has just started may not have written its row yet.


def held_by(sessions: Sessions) -> set[str]:
    with sessions() as session:
        return {worker.rpartition("-")[2] for worker in session.scalars(select(Run.worker)) if worker}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_draining_worker_leaves_runs_and_wakeups_to_the_others_and_stays_up(
    spawn: Callable[..., subprocess.Popen[bytes]], broker: Broker, sessions: Sessions, add_runs: Callable[..., list[str]]
) -> None:
    ids = add_runs(2, steps=50_000)
    outbox = Outbox(broker.plan.url)
    # No reconciler: a wake-up that the draining worker swallowed would not be sent again.
    patient = {"TAUSCOPE_HEARTBEAT_SECONDS": "0.1", "FAKE_CHILD_STEP_SECONDS": "0.02"}
    first = spawn("worker", **patient)
    send_wakeups(sessions, outbox, ids)
    wait_for(lambda: any_has_checkpoint(sessions))
    drain(sessions, first.pid, True)
    wait_for(lambda: states(sessions) == {RunState.QUEUED})
    wait_for(lambda: outbox.depth() == 2)
    time.sleep(0.5)
    assert (outbox.depth(), first.poll(), states(sessions)) == (2, None, {RunState.QUEUED})
    second = spawn("worker", **patient)
    wait_for(lambda: held_by(sessions) == {str(second.pid)})
    drain(sessions, second.pid, True)
    wait_for(lambda: states(sessions) == {RunState.QUEUED})
    drain(sessions, first.pid, False)
    wait_for(lambda: held_by(sessions) == {str(first.pid)})
    with sessions() as session:
        assert set(session.scalars(select(Run.stalls))) <= {0, 1}
    outbox.close()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_runs_of_a_queue_that_nobody_serves_do_not_hold_up_the_others(
    spawn: Callable[..., subprocess.Popen[bytes]], sessions: Sessions, add_runs: Callable[..., list[str]]
) -> None:
    add_runs(6)
    with sessions.begin() as session:
        session.execute(update(Run).where(Run.id.in_(["run-0", "run-1", "run-2", "run-3"])).values(queue="gpu", priority=9))
    spawn("worker.reconciler")
    spawn("worker")
    wait_for(lambda: states(sessions) == {RunState.QUEUED, RunState.FINISHED})
    wait_for(lambda: len(finished(sessions)) == 2)
    assert finished(sessions) == {"run-4", "run-5"}
    spawn("worker", TAUSCOPE_QUEUES="gpu")
    wait_for(lambda: all_finished(sessions))


def finished(sessions: Sessions) -> set[str]:
    with sessions() as session:
        return set(session.scalars(select(Run.id).where(Run.state == RunState.FINISHED)))
