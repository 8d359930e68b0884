"""Forecasts are made in the transaction that brings points, from what the store holds, and kept as they were made."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from backend.storage import forecasts
from backend.storage.flush import record_points
from backend.storage.tables import Forecast, Run, Trajectory
from tauscope.contracts.points import Point
from tauscope.specs import apply_settings, load_preset
from tests.worker.conftest import AddRun
from worker.summaries import record_summary

GRID = [round(10 * 1.25**k) for k in range(24)]
RATIO = 2.4  # tau_mem over the time at which the gap is a half.


def spec(n: int, seed: int = 1, **settings: Any) -> dict[str, Any]:
    sweep = apply_settings(load_preset("digits-ci").sweep, {"n_train": n, "seed": seed, "steps": 3000, **settings})
    return sweep.resolve()[0].spec.model_dump(mode="json")


def points_of(tau: float, upto: float) -> list[Point]:
    """Copying that crosses 25 % at ``tau``, and a gap that is a half at ``tau / RATIO``, measured on the grid."""
    points = []
    for step in [step for step in GRID if step <= upto]:
        share, gap = min(1.0, 0.25 * (step / tau) ** 3), min(0.95, 0.5 * (step / (tau / RATIO)) ** 0.7)
        points += [
            Point(step=step, metric="f_mem", value=share, low=max(0.0, share - 0.02), high=share + 0.02, count=256),
            Point(step=step, metric="f_mem_control", value=0.0, low=0.0, high=0.004, count=1000),
            Point(step=step, metric="loss_gap@100", value=gap, low=gap - 0.01, high=gap + 0.01, count=512),
        ]
    return points


@pytest.fixture
def bring(sessions: sessionmaker[Session]) -> Callable[[str, list[Point]], None]:
    """Record points of a run and what follows from them, as a flush does."""

    def record(run_id: str, points: list[Point]) -> None:
        with sessions.begin() as session:
            record_points(session, run_id, points, 1)
            run = session.get_one(Run, run_id)
            run.step = max(point.step for point in points)
            record_summary(session, run_id)

    return record


@pytest.fixture
def pilots(add_run: AddRun, bring: Callable[[str, list[Point]], None]) -> None:
    """Two small finished runs of the configuration that the tests watch."""
    for n, tau in ((8, 100.0), (16, 246.0)):
        add_run(f"pilot-{n}", spec=spec(n), state="finished")
        bring(f"pilot-{n}", points_of(tau, 4 * tau))


def kept(sessions: sessionmaker[Session], run_id: str) -> list[tuple[int, float | None, dict[str, Any]]]:
    with sessions() as session:
        return [(row.step, row.median, row.document) for row in forecasts.run_forecasts(session, run_id)]


def shown(sessions: sessionmaker[Session], run_id: str) -> dict[str, Any] | None:
    with sessions() as session:
        return session.scalars(select(Run.forecast).where(Run.id == run_id)).one()


@pytest.mark.usefixtures("pilots")
def test_a_young_run_is_foretold_from_its_pilots_and_its_gap(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    add_run("run-1", spec=spec(32))
    bring("run-1", points_of(606.0, upto=300))
    document = shown(sessions, "run-1")
    assert document is not None
    assert document["low"] < 606 < document["high"]
    assert (document["n_pilots"], document["n_runs"], document["step"]) == (2, 2, 284)
    assert document["gap_level"] == 0.5
    assert kept(sessions, "run-1") == [(284, document["median"], document)]


@pytest.mark.usefixtures("pilots")
def test_forecasts_are_kept_as_points_arrive_and_never_changed(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    add_run("run-1", spec=spec(32))
    for upto in (20, 60, 120, 240, 300):
        bring("run-1", points_of(606.0, upto))
    before = kept(sessions, "run-1")
    assert len(before) >= 3
    bring("run-1", points_of(606.0, upto=1600))
    assert shown(sessions, "run-1") is None  # It is measured.
    assert kept(sessions, "run-1") == before
    medians = [abs(median - 606) for _, median, _ in before if median is not None]
    assert medians[-1] < medians[0]


@pytest.mark.usefixtures("pilots")
def test_points_that_change_nothing_add_no_forecast(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    add_run("run-1", spec=spec(32))
    for _ in range(3):
        bring("run-1", points_of(606.0, upto=300))
    assert len(kept(sessions, "run-1")) == 1


def test_without_evidence_the_reason_is_kept_once(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    add_run("run-1", spec=spec(32))
    for upto in (20, 60, 240):
        bring("run-1", points_of(606.0, upto))
    ((step, median, document),) = kept(sessions, "run-1")
    assert (step, median) == (20, None) and "no earlier run" in document["reason"]
    now = shown(sessions, "run-1")
    assert now is not None and now["step"] == 227


@pytest.mark.usefixtures("pilots")
def test_runs_of_another_definition_of_copying_teach_nothing(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    add_run("run-1", spec=spec(32, **{"onsets.tau_mem.level": 0.1}))
    bring("run-1", points_of(606.0, upto=100))
    document = shown(sessions, "run-1")
    assert document is not None and document["median"] is None


@pytest.mark.usefixtures("pilots")
def test_runs_from_before_there_were_forecasts_are_learnt_from(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    with sessions.begin() as session:
        for row in session.scalars(select(Trajectory)):
            session.delete(row)
    add_run("run-1", spec=spec(32))
    bring("run-1", points_of(606.0, upto=300))
    document = shown(sessions, "run-1")
    assert document is not None and document["n_pilots"] == 2
    with sessions() as session:
        assert session.scalars(select(func.count()).select_from(Trajectory)).one() == 3


@pytest.mark.usefixtures("pilots")
def test_the_record_of_a_run_is_bounded(
    sessions: sessionmaker[Session], add_run: AddRun, bring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecasts, "MOST_KEPT", 2)
    add_run("run-1", spec=spec(32))
    for upto in (20, 60, 120, 240, 300):
        bring("run-1", points_of(606.0, upto))
    assert len(kept(sessions, "run-1")) == 2
    now = shown(sessions, "run-1")
    assert now is not None and now["step"] == 284  # What is shown goes on.


@pytest.mark.usefixtures("pilots")
def test_deleting_a_run_deletes_its_forecasts(sessions: sessionmaker[Session], add_run: AddRun, bring: Any) -> None:
    add_run("run-1", spec=spec(32))
    bring("run-1", points_of(606.0, upto=300))
    with sessions.begin() as session:
        session.delete(session.get_one(Run, "run-1"))
    with sessions() as session:
        assert session.scalars(select(func.count()).select_from(Forecast)).one() == 0
