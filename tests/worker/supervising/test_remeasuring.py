"""Slots measure again with a child that counts instead, also when children die and workers leave."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage.flush import read_points
from backend.storage.remeasuring import ask_again, remeasured_points, remeasured_steps
from backend.storage.tables import RunFile
from tests.worker.fake_child import value
from tests.worker.supervising.supervised import STEPS, Fault, the_run
from worker.supervisor import Supervisor

Sessions = sessionmaker[Session]


@pytest.fixture
def ask(supervisor: Supervisor, sessions: Sessions, tiny: str) -> Callable[..., str]:
    """A finished run of which something is asked again."""
    supervisor.serve(tiny)

    def again(*steps: int) -> str:
        with sessions.begin() as session:
            return ask_again(session, tiny, "more samples", {"n_generated": 4096}, steps)[0]

    return again


def measured(sessions: Sessions, set_id: str) -> list[tuple[int, float | None, int | None]]:
    with sessions() as session:
        return [(item.step, item.value, item.count) for item in remeasured_points(session, [set_id])[set_id] if item.metric == "f_mem"]


def test_a_finished_run_is_measured_again_and_its_own_curve_stays(
    supervisor: Supervisor, sessions: Sessions, tiny: str, ask: Callable[..., str]
) -> None:
    with sessions() as session:
        before, files = read_points(session, tiny), session.scalars(select(RunFile.path)).all()
    final, set_id = the_run(sessions).final, ask(20, STEPS)
    assert [supervisor.evaluate(tiny), supervisor.evaluate(tiny), supervisor.evaluate(tiny)] == [(tiny, 20), (tiny, STEPS), None]
    assert measured(sessions, set_id) == [(step, value(step) / 2, 4096) for step in (20, STEPS)]
    with sessions() as session:
        assert read_points(session, tiny) == before and session.scalars(select(RunFile.path)).all() == files
    assert the_run(sessions).final == final
    assert list(supervisor.services.settings.work_folder.iterdir()) == []


def test_a_child_that_dies_gives_the_step_back_with_the_reason(
    supervisor: Supervisor, sessions: Sessions, tiny: str, ask: Callable[..., str], fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_FAULT_STEP", "30")
    fault("die")
    set_id = ask(30)
    supervisor.pool.slots[0].discard()  # A new child, which knows of the fault.
    supervisor.evaluate(tiny)
    with sessions() as session:
        row = remeasured_steps(session, [set_id])[0]
        assert "ended without a word" in row.reason and row.finished_at is None and row.stalls == 1
    supervisor.evaluate(tiny)
    with sessions.begin() as session:
        remeasured_steps(session, [set_id])[0].lease_until = 0.0
    supervisor.evaluate(tiny)
    assert measured(sessions, set_id) == [(30, value(30) / 2, 4096)]


def test_a_pruned_checkpoint_is_trained_again_from_the_one_before_by_the_same_code(
    supervisor: Supervisor, sessions: Sessions, tiny: str, ask: Callable[..., str]
) -> None:
    with sessions.begin() as session:
        session.execute(delete(RunFile).where(RunFile.step == 30, RunFile.kind.in_(["weights", "state"])))
    set_id = ask(30)
    supervisor.evaluate(tiny)
    with sessions() as session:
        assert remeasured_steps(session, [set_id])[0].from_step == 20


def test_other_code_says_so_instead_of_training_a_damaged_checkpoint_again(
    supervisor: Supervisor, sessions: Sessions, tiny: str, ask: Callable[..., str]
) -> None:
    set_id = ask(30)
    with sessions.begin() as session:
        digest = session.scalars(select(RunFile.sha256).where(RunFile.kind == "weights", RunFile.step == 30)).one()
        remeasured_steps(session, [set_id])[0].written_by = "older"
    (Path(supervisor.services.settings.artifacts_url) / digest[:2] / digest[2:]).write_bytes(b"damaged")
    supervisor.evaluate(tiny)
    with sessions() as session:
        row = remeasured_steps(session, [set_id])[0]
    assert "another run's weights" in row.reason and row.finished_at is None and measured(sessions, set_id) == []
