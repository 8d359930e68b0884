"""A policy stops the run it belongs to, says why, and is off once the owner goes on in spite of it."""

import os

import pytest
from sqlalchemy import select, update

from backend.storage.claims import settle
from backend.storage.requests import extend
from backend.storage.tables import Run, RunEvent, RunFile
from tauscope.contracts.runs import DesiredState, RunState
from tauscope.specs import ImageDdpmSpec
from tests.worker.supervising.supervised import AddRun, Sessions, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services

STEPS, COPIES_FROM = 200, 30
STOPPED = (
    "stopped by its policy at 40: f_mem 24 of 32 (57 to 88 %), control 0 of 32 (under 11 %);"
    " beyond the control by more than 1.0 % at 95 % at 2 checkpoints in a row"
)


def spec(steps: int = STEPS, name: str = "copying") -> dict[str, object]:
    return ImageDdpmSpec.model_validate({"steps": steps, "stopping": {"name": name}}).model_dump(mode="json")


@pytest.fixture(autouse=True)
def copying(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_CHILD_COPIES_FROM", str(COPIES_FROM))


def events(sessions: Sessions) -> list[tuple[str, str]]:
    with sessions() as session:
        return [(event.name, event.detail) for event in session.scalars(select(RunEvent).order_by(RunEvent.id))]


def serve_until_over(supervisor: Supervisor, sessions: Sessions) -> Run:
    for _ in range(40):
        supervisor.serve("run-1")
        while supervisor.evaluate("run-1"):
            pass
        with sessions.begin() as session:
            settle(session)
            session.execute(update(Run).where(Run.state.in_(["queued", "running"])).values(lease_until=0.0))
        if the_run(sessions).state not in {"queued", "running"}:
            break
    return the_run(sessions)


@pytest.mark.parametrize("how", ["at once", "in short segments", "with late samples"])
def test_a_policy_stops_the_run_and_the_reason_is_the_same_however_it_was_computed(
    settings: WorkerSettings, sessions: Sessions, add_run: AddRun, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    add_run(spec=spec(), steps=STEPS)
    if how == "with late samples":
        monkeypatch.setitem(os.environ, "FAKE_CHILD_DEFERS", "1")
    short = {"segment_seconds": 0.03} if how == "in short segments" else {}
    supervisor = Supervisor(open_services(settings.model_copy(update=short)))
    run = serve_until_over(supervisor, sessions)
    supervisor.close()
    supervisor.services.close()
    assert (run.state, run.reason, run.desired) == (RunState.STOPPED, STOPPED, DesiredState.STOP)
    assert run.verdict["step"] == 40 and run.checkpoint_step is not None and run.checkpoint_step >= 40
    assert ("policy_says_stop", STOPPED) in events(sessions) and events(sessions)[-1] == ("stopped", STOPPED)
    with sessions() as session:
        assert session.scalars(select(RunFile).where(RunFile.path == "checkpoints/40.safetensors")).one()


def test_the_same_run_without_a_policy_takes_all_its_steps(supervisor: Supervisor, sessions: Sessions, add_run: AddRun) -> None:
    add_run(spec=spec(60, "budget"), steps=60)
    run = serve_until_over(supervisor, sessions)
    assert (run.state, run.step, run.verdict) == (RunState.FINISHED, 60, {})


def test_a_run_ends_stopped_though_it_had_taken_all_its_steps_before_the_samples_told(
    supervisor: Supervisor, sessions: Sessions, add_run: AddRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(os.environ, "FAKE_CHILD_DEFERS", "1")
    add_run(spec=spec(60), steps=60)
    run = serve_until_over(supervisor, sessions)
    assert (run.state, run.reason, run.step) == (RunState.STOPPED, STOPPED, 60)


def test_a_run_that_has_its_last_step_when_its_policy_says_stop_is_finished(
    supervisor: Supervisor, sessions: Sessions, add_run: AddRun
) -> None:
    add_run(spec=spec(40), steps=40)
    run = serve_until_over(supervisor, sessions)
    assert (run.state, run.verdict, run.reason) == (RunState.FINISHED, {}, "")


def test_extended_without_its_policy_a_stopped_run_goes_on_to_its_budget(
    supervisor: Supervisor, sessions: Sessions, add_run: AddRun
) -> None:
    add_run(spec=spec(60), steps=60)
    assert serve_until_over(supervisor, sessions).state == RunState.STOPPED
    with sessions.begin() as session:
        assert extend(session, "run-1", spec(60, "budget"), cost=1.0, note=", in spite of its policy")
    assert the_run(sessions).verdict == {}
    run = serve_until_over(supervisor, sessions)
    assert (run.state, run.step, run.reason) == (RunState.FINISHED, 60, "")
    assert ("extended", "to 60 steps by its owner, in spite of its policy") in events(sessions)
