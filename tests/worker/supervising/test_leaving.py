"""A run that its owner or its worker wants to end: it checkpoints, gives its slot back and writes nothing more."""

import threading
import time
from pathlib import Path

from sqlalchemy import select, update

from backend.storage.claims import claim_next
from backend.storage.requests import request_pause, request_resume
from backend.storage.tables import Attempt, Run
from tauscope.contracts.runs import RunState
from tests.worker.supervising.supervised import STEPS, WHOLE, Fault, Sessions, change, hurried, serve_until_over, steps, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor


def test_a_stop_is_obeyed_within_the_next_flushes(supervisor: Supervisor, sessions: Sessions, tiny: str, last_step_waits: Path) -> None:
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    change(sessions, desired="stop")
    thread.join(60)
    run = the_run(sessions)
    assert (run.state, run.reason) == (RunState.STOPPED, "stopped on request")
    assert run.checkpoint_step == run.step > 0


def test_a_pause_frees_the_slot_and_a_resumed_run_ends_with_the_same_curve(
    supervisor: Supervisor, sessions: Sessions, tiny: str, last_step_waits: Path
) -> None:
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    with sessions.begin() as session:
        request_pause(session, [tiny])
    thread.join(60)
    run = the_run(sessions)
    assert (run.state, run.reason, run.stalls, run.worker) == (RunState.PAUSED, "paused by its owner", 0, None)
    assert run.checkpoint_step == run.step < STEPS
    assert supervisor.serve(tiny) is None
    with sessions.begin() as session:
        request_resume(session, [tiny])
    last_step_waits.unlink()
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_child_that_does_not_hear_is_killed_when_the_worker_leaves(
    settings: WorkerSettings, sessions: Sessions, tiny: str, fault: Fault
) -> None:
    fault("deaf")
    with hurried(settings, end_seconds=0.5) as supervisor:
        thread = threading.Thread(target=supervisor.serve, args=(tiny,))
        thread.start()
        while the_run(sessions).step < 35:
            time.sleep(0.02)
        supervisor.stop()
        thread.join(60)
    run = the_run(sessions)
    assert (run.state, run.stalls, run.reason, run.lease_until) == (RunState.QUEUED, 0, "", 0.0)


def test_a_draining_worker_gives_its_run_back_and_takes_none_until_it_drains_no_longer(
    supervisor: Supervisor, sessions: Sessions, tiny: str, last_step_waits: Path
) -> None:
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    supervisor.services.draining.set()
    thread.join(60)
    run = the_run(sessions)
    assert (run.state, run.stalls, run.reason, run.worker, run.lease_until) == (RunState.QUEUED, 0, "", None, 0.0)
    assert run.checkpoint_step == run.step < STEPS
    assert supervisor.serve(tiny) is None
    with sessions() as session:
        assert session.scalars(select(Attempt.outcome)).all() == ["the worker is draining"]
    supervisor.services.draining.clear()
    last_step_waits.unlink()
    assert serve_until_over(supervisor, sessions).state == RunState.FINISHED
    assert steps(sessions) == WHOLE


def test_a_worker_that_lost_its_lease_writes_nothing_more(
    supervisor: Supervisor, sessions: Sessions, tiny: str, last_step_waits: Path
) -> None:
    thread = threading.Thread(target=supervisor.serve, args=(tiny,))
    thread.start()
    while not the_run(sessions).checkpoint_step:
        time.sleep(0.02)
    with sessions.begin() as session:  # One transaction: a flush between the two would renew the lease.
        session.execute(update(Run).values(lease_until=0.0))
        taken = claim_next(session, "other", 60)
    thread.join(60)
    assert taken is not None
    run = the_run(sessions)
    assert (run.worker, run.epoch, run.state) == ("other", 2, RunState.RUNNING)
