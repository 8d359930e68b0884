"""A worker's segments, with a child that counts instead of training."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from backend.storage.artifacts import ArtifactStore
from backend.storage.claims import STALL_LIMIT
from backend.storage.requests import extend
from backend.storage.tables import Attempt, RunEvent, RunFile
from tauscope.contracts.runs import RunState
from tauscope.specs import ImageDdpmSpec
from tests.worker.fake_child import value
from tests.worker.supervising.supervised import STEPS, WHOLE, AddRun, Fault, Sessions, change, serve_until_over, steps, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services


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
    assert {"train.npz", "held_out.npz", "dataset.json", "checkpoints/60.json", "checkpoints/60.safetensors"} <= set(files)
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


def test_a_killed_child_is_tried_again_from_the_checkpoint(supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault) -> None:
    fault("die")
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert (run.state, run.checkpoint_step) == (RunState.QUEUED, 30)
    assert "SIGKILL" in run.reason
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE
    assert the_run(sessions).reason == ""


def test_a_failure_that_no_retry_can_mend_fails_the_run_with_its_remedy(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault
) -> None:
    fault("fail")
    supervisor.serve(tiny)
    run = the_run(sessions)
    assert run.state == RunState.FAILED
    assert run.reason == "the loss is not finite. Lower optimizer.lr"
    assert steps(sessions) == WHOLE[:3], "the last good checkpoint and the curve up to it are kept"
    with sessions() as session:
        assert "Traceback" in list(session.scalars(select(RunEvent.detail).order_by(RunEvent.id)))[-1]


def test_an_extended_run_keeps_its_curve_and_measures_on(supervisor: Supervisor, sessions: Sessions, tiny: str) -> None:
    supervisor.serve(tiny)
    assert the_run(sessions).state == RunState.FINISHED
    with sessions.begin() as session:
        assert extend(session, tiny, ImageDdpmSpec(steps=STEPS + 20).model_dump(mode="json"), cost=1.0)
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == [*WHOLE, (STEPS + 10, value(STEPS + 10)), (STEPS + 20, value(STEPS + 20))]
    with sessions() as session:
        assert list(session.scalars(select(Attempt.from_step).order_by(Attempt.epoch))) == [0, STEPS]


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
    settings: WorkerSettings, sessions: Sessions, tiny: str, expire_lease: Fault
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


def test_a_run_whose_device_others_hold_is_given_back_with_the_reason_however_often_and_never_fails(
    supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault
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


def test_a_run_that_dies_again_and_again_fails_with_the_reason(supervisor: Supervisor, sessions: Sessions, tiny: str, fault: Fault) -> None:
    fault("die", 100)
    run = serve_until_over(supervisor, sessions)
    assert run.state == RunState.FAILED
    assert "attempts in a row" in run.reason and "SIGKILL" in run.reason
