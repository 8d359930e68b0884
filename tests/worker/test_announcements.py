"""What hooks are told of, written in the transaction in which it becomes true; on both databases."""

import threading

import pytest
from sqlalchemy import select, update

from backend.storage.announcements import announce_warning
from backend.storage.claims import STALL_LIMIT, claim_next, finish, settle
from backend.storage.flush import write_summary
from backend.storage.requests import extend, request_stop
from backend.storage.tables import Experiment, Notification, Run
from tauscope.contracts.notifications import HookEvent
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.runs import RunState
from tests.worker.claimed import certain, claim
from tests.worker.conftest import AddRun
from tests.worker.notified import Sessions, add_hook, add_sibling, announced, events, notifications, onset

FINAL = {
    **{"step": 450, "n_generated": 384, "f_mem": 0.41, "f_mem_low": 0.36, "f_mem_high": 0.46, "f_mem_count": 384},
    **{"f_mem_control": 0.0, "f_mem_control_low": 0.0, "f_mem_control_high": 0.01, "f_mem_control_count": 384},
}


def summarize(sessions: Sessions, run_id: str = "run-1", **onsets: Onset) -> None:
    with sessions.begin() as session:
        write_summary(session, run_id, onsets, FINAL)


def end(sessions: Sessions, state: RunState, reason: str = "") -> None:
    held = certain(claim(sessions))
    with sessions.begin() as session:
        finish(session, held, state, reason)


def test_an_onset_is_announced_once_with_its_interval_level_counts_and_control(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run(label="n_train=16", params={"n_train": 16})
    summarize(sessions, tau_gen=onset(None, metric="loss"), tau_mem=onset(None))
    assert events(sessions) == []
    summarize(sessions, tau_gen=onset(None, metric="loss"), tau_mem=onset(233.0, 206.0, 326.0))
    summarize(sessions, tau_gen=onset(None, metric="loss"), tau_mem=onset(231.0, 208.0, 300.0))
    (said,) = announced(sessions)
    assert (said.event, said.onset) == (HookEvent.ONSET_REACHED, "tau_mem")
    assert said.run is not None and said.run.label == "n_train=16" and said.run.measured_step == 450
    told = said.run.onsets["tau_mem"]
    assert (told.value, told.low, told.high, told.status, told.metric, told.level, told.count) == (
        233,
        206,
        326,
        "reached",
        "f_mem",
        0.25,
        384,
    )
    assert {item.metric: (item.value, item.low, item.high, item.count) for item in said.run.numbers} == {
        "f_mem": (0.41, 0.36, 0.46, 384),
        "f_mem_control": (0.0, 0.0, 0.01, 384),
    }
    assert said.links["run"] == "/run?id=run-1" and said.experiment is not None and said.experiment.runs == {"queued": 1}


def test_an_onset_that_is_measured_again_after_a_resume_is_not_told_again_but_one_elsewhere_is(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run()
    for found in (
        onset(233.0, 206.0, 326.0),
        onset(None, 100.0),
        onset(240.0, 200.0, None),
        onset(None, 400.0),
        onset(700.0, 600.0, 800.0),
    ):
        summarize(sessions, tau_mem=found)
    told = [said.run.onsets["tau_mem"].value for said in announced(sessions) if said.run]
    assert told == [233.0, 700.0]


def test_an_onset_before_the_first_checkpoint_is_told_without_a_value(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run()
    summarize(sessions, tau_gen=Onset(value=None, low=0.0, high=5.0, status=OnsetStatus.BEFORE_FIRST, metric="loss", level=0.3))
    (said,) = announced(sessions)
    assert said.run is not None
    told = said.run.onsets["tau_gen"]
    assert (told.value, told.status, told.count) == (None, OnsetStatus.BEFORE_FIRST, None)


def test_what_is_rolled_back_is_not_announced(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run()
    with sessions() as session:
        write_summary(session, "run-1", {"tau_mem": onset(233.0, 206.0, 326.0)}, FINAL)
        assert session.scalars(select(Notification.id)).all()
        session.rollback()
    assert events(sessions) == []
    summarize(sessions, tau_mem=onset(233.0, 206.0, 326.0))
    assert events(sessions) == ["onset.reached"]


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.FAILED, RunState.STOPPED])
def test_the_end_of_a_run_is_told_with_its_reason_and_that_of_the_last_ends_the_experiment(
    state: RunState, sessions: Sessions, add_run: AddRun
) -> None:
    add_hook(sessions)
    add_run()
    add_sibling(sessions, "run-1", "run-2")
    end(sessions, state, "the loss is not a number")
    assert events(sessions) == [f"run.{state}"]
    end(sessions, state, "the loss is not a number")
    assert events(sessions) == [f"run.{state}", f"run.{state}", "experiment.ended"]
    first, _, last = announced(sessions)
    assert first.run is not None and (first.run.state, first.run.reason) == (state, "the loss is not a number")
    assert last.run is None and last.experiment is not None and last.experiment.runs == {state: 2}
    assert last.links["summary"] == "/api/v1/experiments/of-run-1/summary"


def test_runs_that_nobody_holds_are_told_of_when_they_are_stopped_or_have_stalled(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions, events=["run.stopped", "run.failed"])
    add_run("run-1")
    add_run("run-2", stalls=STALL_LIMIT, reason="the disk is full")
    with sessions.begin() as session:
        request_stop(session, ["run-1"])
        settle(session)
    assert sorted(events(sessions)) == ["run.failed", "run.stopped"]


def test_an_extended_run_ends_anew(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions, events=["run.finished", "experiment.ended"])
    add_run()
    end(sessions, RunState.FINISHED)
    with sessions.begin() as session:
        extend(session, "run-1", {"kind": "image_ddpm", "steps": 200}, cost=1.0)
    end(sessions, RunState.FINISHED)
    assert events(sessions) == ["run.finished", "experiment.ended"] * 2


def test_a_warning_is_told_once_a_run_and_code(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run("run-1")
    add_run("run-2")
    for run_id, code in (("run-1", "loss_gap"), ("run-1", "loss_gap"), ("run-1", "auc"), ("run-2", "loss_gap")):
        with sessions.begin() as session:
            announce_warning(session, run_id, code=code, text="the gap is 0.2 (0.15 to 0.25) of 512 pairs")
    assert [(row.run_id, row.subject) for row in notifications(sessions)] == [
        ("run-1", "loss_gap"),
        ("run-1", "auc"),
        ("run-2", "loss_gap"),
    ]
    warning = announced(sessions)[0].warning
    assert warning is not None and (warning.code, warning.text) == ("loss_gap", "the gap is 0.2 (0.15 to 0.25) of 512 pairs")


def test_each_hook_is_told_what_it_asked_for_under_the_same_event_id(sessions: Sessions, add_run: AddRun) -> None:
    add_run("run-1")
    add_run("run-2")
    add_hook(sessions, "all")
    add_hook(sessions, "one", experiment_id="of-run-1")
    add_hook(sessions, "failures", events=["run.failed"])
    add_hook(sessions, "off", enabled=False)
    for run_id in ("run-1", "run-2"):
        summarize(sessions, run_id, tau_mem=onset(233.0, 206.0, 326.0))
    told = [(row.webhook_id, row.run_id) for row in notifications(sessions)]
    assert sorted(told) == [("all", "run-1"), ("all", "run-2"), ("one", "run-1")]
    rows = [row for row in notifications(sessions) if row.run_id == "run-1"]
    assert len({row.event_id for row in rows}) == 1 and len({row.id for row in rows}) == 2


def test_of_two_last_runs_that_end_at_once_one_ends_the_experiment(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions, events=["experiment.ended"])
    add_run()
    add_sibling(sessions, "run-1", "run-2")
    held = [certain(claim(sessions, name)) for name in ("one", "two")]
    together = threading.Barrier(2)

    def finish_one(place: int) -> None:
        together.wait()
        with sessions.begin() as session:
            finish(session, held[place], RunState.FINISHED)

    threads = [threading.Thread(target=finish_one, args=[place]) for place in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert events(sessions) == ["experiment.ended"]


def test_without_a_hook_nothing_is_written(sessions: Sessions, add_run: AddRun) -> None:
    add_run()
    summarize(sessions, tau_mem=onset(233.0, 206.0, 326.0))
    end(sessions, RunState.FAILED, "diverged")
    assert notifications(sessions) == []


def test_deleting_an_experiment_takes_its_notifications_along(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run()
    end(sessions, RunState.FAILED, "diverged")
    with sessions.begin() as session:
        session.delete(session.get_one(Experiment, "of-run-1"))
    assert notifications(sessions) == []


def test_rows_of_an_older_version_are_announced_too(sessions: Sessions, add_run: AddRun) -> None:
    add_hook(sessions)
    add_run()
    with sessions.begin() as session:
        session.execute(update(Run).values(onsets={}, final={}, reason="x" * 10_000))
        assert claim_next(session, "one", 15)
    with sessions.begin() as session:
        session.execute(update(Run).values(lease_until=0.0, stalls=STALL_LIMIT))
        settle(session)
    said = announced(sessions)[0]
    assert said.run is not None and said.run.numbers == () and len(said.run.reason) == 2000
