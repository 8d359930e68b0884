"""A worker's segments, with a child that counts instead of training."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.artifacts import ArtifactStore
from backend.storage.claims import STALL_LIMIT, claim_next
from backend.storage.flush import read_points
from backend.storage.requests import extend, request_pause, request_resume
from backend.storage.tables import Attempt, Run, RunEvent, RunFile
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tauscope.version import code_version
from tests.worker.fake_child import value
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services

Sessions = sessionmaker[Session]
AddRun = Callable[..., str]
Fault = Callable[..., None]
STEPS = 60


@pytest.fixture
def database_kind() -> str:
    """One kind is enough here: what the worker writes is tested on both by itself, and in whole flows."""
    return "sqlite"


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> WorkerSettings:
    return WorkerSettings(
        home=tmp_path,
        database_url=database_url,
        broker_url=f"redis+socket://{tmp_path}/no-broker.sock",
        slots=1,
        flush_seconds=0.05,
        end_seconds=0.5,
        store_patience_seconds=0.3,
        trainer_module="tests.worker.fake_child",
    )


@pytest.fixture
def supervisor(settings: WorkerSettings) -> Iterator[Supervisor]:
    services = open_services(settings)
    supervisor = Supervisor(services)
    yield supervisor
    supervisor.close()
    services.close()


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, int], None]:
    """Let the child misbehave a number of times."""

    def set_fault(kind: str, times: int = 1) -> None:
        (tmp_path / "faults").write_text(str(times))
        monkeypatch.setenv("FAKE_CHILD_FAULT", kind)
        monkeypatch.setenv("FAKE_CHILD_FAULTS_LEFT", str(tmp_path / "faults"))

    return set_fault


@pytest.fixture
def tiny(add_run: AddRun) -> str:
    return add_run(spec=ImageDdpmSpec(steps=STEPS).model_dump(mode="json"), steps=STEPS)


def the_run(sessions: Sessions) -> Run:
    with sessions() as session:
        return session.scalars(select(Run)).one()


def change(sessions: Sessions, **values: object) -> None:
    with sessions.begin() as session:
        session.execute(update(Run).values(**values))


def steps(sessions: Sessions) -> list[tuple[int, float | None]]:
    with sessions() as session:
        return [(point.step, point.value) for point in read_points(session, "run-1") if point.metric == "f_mem"]


WHOLE = [(step, value(step)) for step in range(10, STEPS + 1, 10)]


def serve_until_over(supervisor: Supervisor, sessions: Sessions) -> Run:
    for _ in range(20):
        supervisor.serve("run-1")
        if the_run(sessions).state not in {"queued", "running"}:
            break
        change(sessions, lease_until=0.0)
    return the_run(sessions)


def test_a_run_is_trained_to_its_end_with_its_files_and_summary(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    assert supervisor.serve(tiny) == tiny
    run = the_run(sessions)
    assert (run.state, run.step, run.checkpoint_step, run.worker) == (RunState.FINISHED, STEPS, STEPS, None)
    assert steps(sessions) == WHOLE
    assert set(run.onsets) == {"tau_gen", "tau_mem"} and run.final["f_mem"] == value(STEPS)
    assert set(run.markers) == {"tau_test", "tau_split"}
    store = ArtifactStore(supervisor.services.settings.artifacts_url)
    with sessions() as session:
        files = {file.path: file.sha256 for file in session.scalars(select(RunFile))}
    assert store.read(files["samples/30.npz"]) == b"samples 30"
    assert store.read(files["predictions/30.npz"]) == b"predictions 30"
    assert {"train.npz", "held_out.npz", "checkpoints/60.json", "checkpoints/60.safetensors"} <= set(files)
    assert list(supervisor.services.settings.work_folder.iterdir()) == []


def test_a_second_message_for_the_same_run_does_nothing(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    served: list[str | None] = []
    threads = [threading.Thread(target=lambda: served.append(supervisor.serve(tiny))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(served, key=str) == [None, tiny]
    assert the_run(sessions).epoch == 1


def test_segments_give_the_run_back_and_the_curve_is_that_of_one_segment(settings: WorkerSettings, sessions: Sessions, tiny: str) -> None:
    supervisor = Supervisor(open_services(settings.model_copy(update={"segment_seconds": 0.05})))
    run = serve_until_over(supervisor, sessions)
    supervisor.close()
    supervisor.services.close()
    assert run.state == RunState.FINISHED and run.epoch > 1
    assert steps(sessions) == WHOLE


def test_a_run_ends_with_its_last_step_though_its_segment_had_no_time_left(
    settings: WorkerSettings, sessions: Sessions, add_run: AddRun
) -> None:
    run_id = add_run(spec=ImageDdpmSpec(steps=2).model_dump(mode="json"), steps=2)
    supervisor = Supervisor(open_services(settings.model_copy(update={"segment_seconds": 0.0})))
    assert [supervisor.serve(run_id) for _ in range(2)] == [run_id] * 2
    supervisor.close()
    supervisor.services.close()
    assert (the_run(sessions).state, the_run(sessions).step) == (RunState.FINISHED, 2)


def test_a_killed_child_is_tried_again_from_the_checkpoint(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    fault("die")
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step) == (RunState.QUEUED, 30)
    assert "SIGKILL" in run.reason
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE
    assert the_run(sessions).reason == ""


def test_a_store_that_is_away_costs_no_point_and_no_checkpoint(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None], tmp_path: Path
) -> None:
    fault("die")
    supervisor.serve(tiny)
    (tmp_path / "artifacts").rename(tmp_path / "unmounted")
    change(sessions, lease_until=0.0)
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step, steps(sessions)) == (RunState.QUEUED, 30, WHOLE[:3])
    assert "empty or not mounted" in run.reason
    (tmp_path / "unmounted").rename(tmp_path / "artifacts")
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_new_run_makes_no_second_store_where_the_first_is_not_mounted(
    settings: WorkerSettings, supervisor: Supervisor, sessions: Sessions, tiny: str, add_run: AddRun, tmp_path: Path
) -> None:
    assert supervisor.serve(tiny) == tiny
    (tmp_path / "artifacts").rename(tmp_path / "unmounted")
    (tmp_path / "artifacts").mkdir()
    add_run("run-2", spec=ImageDdpmSpec(steps=STEPS).model_dump(mode="json"), steps=STEPS)
    anew = Supervisor(open_services(settings))
    assert anew.serve("run-2") == "run-2"
    anew.close()
    anew.services.close()
    assert list((tmp_path / "artifacts").iterdir()) == []
    with sessions() as session:
        run = session.get_one(Run, "run-2")
        assert run.state == RunState.QUEUED and "empty or not mounted" in run.reason


@pytest.mark.parametrize("trouble", ["stalls", "fails"])
def test_a_worker_that_is_asked_to_leave_does_not_wait_for_a_store_that_is_away(
    settings: WorkerSettings, sessions: Sessions, tiny: str, fault: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    fault("die")
    supervisor = Supervisor(open_services(settings.model_copy(update={"store_patience_seconds": 60.0})))
    supervisor.serve(tiny)
    change(sessions, lease_until=0.0)
    fetching, over = threading.Event(), threading.Event()

    def away(_store: ArtifactStore, _sha256: str, _to: Path) -> None:
        fetching.set()
        if trouble == "stalls":
            over.wait(60)
        raise OSError(trouble)

    monkeypatch.setattr(ArtifactStore, "fetch", away)
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    assert fetching.wait(20)
    supervisor.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
    over.set()
    supervisor.close()
    supervisor.services.close()
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step) == (RunState.QUEUED, 30)
    with sessions() as session:
        outcome = session.scalars(select(Attempt.outcome).order_by(Attempt.epoch.desc())).first()
    assert outcome == "the worker was asked to leave"


def test_a_failure_that_no_retry_can_mend_fails_the_run_with_its_remedy(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    fault("fail")
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert run.state == RunState.FAILED
    assert run.reason == "the loss is not finite. Lower optimizer.lr"
    assert steps(sessions) == WHOLE[:3], "the last good checkpoint and the curve up to it are kept"
    with sessions() as session:
        assert "Traceback" in list(session.scalars(select(RunEvent.detail).order_by(RunEvent.id)))[-1]


def test_a_stop_is_obeyed_within_the_next_flushes(supervisor: Supervisor, sessions: Sessions, add_run: AddRun) -> None:
    add_run(spec=ImageDdpmSpec(steps=5000).model_dump(mode="json"), steps=5000)
    thread = threading.Thread(target=supervisor.serve, args=("run-1",))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    change(sessions, desired="stop")
    thread.join(timeout=5)
    run = the_run(sessions)
    assert (run.state, run.reason) == (RunState.STOPPED, "stopped on request")
    assert run.checkpoint_step == run.step > 0


def test_a_pause_frees_the_slot_and_a_resumed_run_ends_with_the_same_curve(
    supervisor: Supervisor, sessions: Sessions, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_STEP_SECONDS", "0.02")
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    with sessions.begin() as session:
        request_pause(session, [tiny])
    thread.join(timeout=5)
    run = the_run(sessions)
    assert (run.state, run.reason, run.stalls, run.worker) == (RunState.PAUSED, "paused by its owner", 0, None)
    assert run.checkpoint_step == run.step < STEPS
    assert supervisor.serve(tiny) is None
    with sessions.begin() as session:
        request_resume(session, [tiny])
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_an_extended_run_keeps_its_curve_and_measures_on(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    supervisor.serve(tiny)
    assert the_run(sessions).state == RunState.FINISHED
    with sessions.begin() as session:
        assert extend(session, tiny, ImageDdpmSpec(steps=STEPS + 20).model_dump(mode="json"), cost=1.0)
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == [*WHOLE, (STEPS + 10, value(STEPS + 10)), (STEPS + 20, value(STEPS + 20))]
    with sessions() as session:
        assert list(session.scalars(select(Attempt.from_step).order_by(Attempt.epoch))) == [0, STEPS]


def partly_trained(supervisor: Supervisor, sessions: Sessions, run_id: str, fault: Callable[[str], None]) -> None:
    """Bring a run to its checkpoint of step 30, written by an older version of the code."""
    fault("die")
    supervisor.serve(run_id)
    change(sessions, lease_until=0.0)
    with sessions.begin() as session:
        session.execute(update(Attempt).values(code_version="0.0+older"))
        session.execute(update(Run).values(checkpoint_version="0.0+older"))


def test_a_run_whose_checkpoint_other_code_wrote_is_left_to_that_code(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    partly_trained(supervisor, sessions, tiny, fault)
    assert supervisor.serve(tiny) is None
    run = the_run(sessions)
    assert (run.state, run.epoch, run.checkpoint_step, steps(sessions)) == (RunState.QUEUED, 1, 30, WHOLE[:3])


def test_falling_back_to_a_checkpoint_of_other_code_hands_the_run_on_without_a_stall(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    partly_trained(supervisor, sessions, tiny, fault)
    # The newest checkpoint is this worker's own, but gone; the one before is not its own.
    change(sessions, checkpoint_version=code_version())
    with sessions.begin() as session:
        session.execute(delete(RunFile).where(RunFile.path == "checkpoints/30.json"))
    assert supervisor.serve(tiny) == tiny
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step, run.checkpoint_version, run.stalls) == (RunState.QUEUED, 20, "0.0+older", 0)
    assert supervisor.serve(tiny) is None
    with sessions() as session:
        outcomes = list(session.scalars(select(Attempt.outcome).order_by(Attempt.epoch)))
    assert outcomes[-1] == "code version 0.0+older wrote the checkpoint of step 20"


def test_another_code_version_that_is_accepted_is_shown_on_the_run(
    settings: WorkerSettings, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    accepting = Supervisor(open_services(settings.model_copy(update={"code_version_policy": "accept"})))
    partly_trained(accepting, sessions, tiny, fault)
    run = serve_until_over(accepting, sessions)
    accepting.close()
    accepting.services.close()
    assert (run.state, run.code_note) == (
        RunState.FINISHED,
        f"steps up to 30 computed by 0.0+older, later ones by {code_version()}",
    )
    with sessions() as session:
        assert "code_version_changed" in set(session.scalars(select(RunEvent.name)))
        assert list(session.scalars(select(Attempt.resumed_version).order_by(Attempt.epoch))) == [None, "0.0+older"]


def test_a_child_that_does_not_hear_is_killed_when_the_worker_leaves(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    fault("deaf")
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while the_run(sessions).step < 35:
        time.sleep(0.02)
    supervisor.stop()
    thread.join(timeout=5)
    run = the_run(sessions)
    assert (run.state, run.stalls, run.reason, run.lease_until) == (RunState.QUEUED, 0, "", 0.0)


def test_a_draining_worker_gives_its_run_back_and_takes_none_until_it_drains_no_longer(
    supervisor: Supervisor, sessions: Sessions, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_STEP_SECONDS", "0.02")
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    supervisor.services.draining.set()
    thread.join(timeout=5)
    run = the_run(sessions)
    assert (run.state, run.stalls, run.reason, run.worker, run.lease_until) == (RunState.QUEUED, 0, "", None, 0.0)
    assert run.checkpoint_step == run.step < STEPS
    assert supervisor.serve(tiny) is None
    with sessions() as session:
        assert session.scalars(select(Attempt.outcome)).all() == ["the worker is draining"]
    supervisor.services.draining.clear()
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_worker_that_lost_its_lease_writes_nothing_more(supervisor: Supervisor, sessions: Sessions, add_run: AddRun) -> None:
    add_run(spec=ImageDdpmSpec(steps=5000).model_dump(mode="json"), steps=5000)
    thread = threading.Thread(target=supervisor.serve, args=("run-1",))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    with sessions.begin() as session:  # One transaction: a flush between the two would renew the lease.
        session.execute(update(Run).values(lease_until=0.0))
        taken = claim_next(session, "other", 60)
    thread.join(timeout=5)
    assert taken is not None
    run = the_run(sessions)
    assert (run.worker, run.epoch, run.state) == ("other", 2, RunState.RUNNING)


def test_a_damaged_checkpoint_is_given_up_for_the_one_before(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str], None]
) -> None:
    fault("die")
    supervisor.serve(tiny)
    with sessions() as session:
        sha256 = session.scalars(select(RunFile.sha256).where(RunFile.path == "checkpoints/30.safetensors")).one()
    path = Path(supervisor.services.settings.artifacts_url) / sha256[:2] / sha256[2:]
    path.write_bytes(path.read_bytes()[:-1])
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE
    with sessions() as session:
        assert "checkpoint_damaged" in set(session.scalars(select(RunEvent.name)))


class Flaky:
    """A session factory whose database is away from the fifth transaction on, for a number of them."""

    def __init__(self, sessions: Sessions, away: int) -> None:
        self._sessions = sessions
        self._calls = 0
        self._away = away

    def __call__(self) -> Session:
        return self._sessions()

    @contextmanager
    def begin(self) -> Iterator[Session]:
        self._calls += 1
        with self._sessions.begin() as session:
            yield session
            if 5 <= self._calls < 5 + self._away:
                raise OperationalError("COMMIT", {}, Exception("the connection was lost"))


def test_results_wait_while_the_database_is_away(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    supervisor.services = replace(supervisor.services, sessions=Flaky(sessions, 8))  # type: ignore[arg-type]
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert (run.state, run.epoch) == (RunState.FINISHED, 1)
    assert steps(sessions) == WHOLE
    assert run.final["f_mem"] == value(STEPS)


def test_a_run_is_abandoned_when_the_database_stays_away(
    settings: WorkerSettings, sessions: Sessions, tiny: str, expire_lease: Callable[[str], None]
) -> None:
    supervisor = Supervisor(open_services(settings.model_copy(update={"database_patience_seconds": 0.2})))
    connected = supervisor.services
    supervisor.services = replace(connected, sessions=Flaky(sessions, 10_000))  # type: ignore[arg-type]
    supervisor.serve(tiny)
    assert the_run(sessions).state == RunState.RUNNING
    expire_lease(tiny)
    supervisor.services = connected
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE
    supervisor.close()
    connected.close()


def test_a_store_that_cannot_write_gives_the_run_back_with_the_reason(
    supervisor: Supervisor, sessions: Sessions, tiny: str, tmp_path: Path
) -> None:
    (tmp_path / "artifacts").write_text("a file where the folder should be")
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert run.state == RunState.QUEUED
    assert "could not be stored" in run.reason
    (tmp_path / "artifacts").unlink()
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_run_whose_device_others_hold_is_given_back_with_the_reason_however_often_and_never_fails(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str, int], None]
) -> None:
    fault("busy", 2 * STALL_LIMIT)
    for attempt in range(2 * STALL_LIMIT):
        supervisor.serve(tiny)
        run = the_run(sessions)
        assert run.updated_at is not None
        assert (run.state, run.reason) == (RunState.QUEUED, "other processes hold the device. It is tried again")
        assert (run.stalls, run.lease_until > run.updated_at) == (0, attempt > 0), "without progress it waits a little each time"
        change(sessions, lease_until=0.0)
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_run_that_dies_again_and_again_fails_with_the_reason(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Callable[[str, int], None]
) -> None:
    fault("die", 100)
    run = serve_until_over(supervisor, sessions)
    assert run.state == RunState.FAILED
    assert "attempts in a row" in run.reason and "SIGKILL" in run.reason
