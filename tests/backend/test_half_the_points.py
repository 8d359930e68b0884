"""A store that lost half of its points: every question still has an answer, and no answer claims more than what is left supports."""

import math
import random
from typing import Any

import pytest
from sqlalchemy import delete, select

from backend.storage.flush import read_points
from backend.storage.tables import MetricPoint, Run, Series
from tauscope.contracts.onsets import Onset, OnsetStatus
from tauscope.contracts.points import Point
from tests.backend.conftest import API, FakeWorker, TestClient
from worker.summaries import record_summary

N_GENERATED, N_HELD_OUT = 256, 1000
STEPS = (10, 14, 20, 28, 40, 56, 80, 113, 160, 226, 320)
QUESTIONS = ("", "/summary", "/curves", "/curves.csv", "/onsets.csv", "/warnings", "/figures/2.svg", "/figures/3.svg")


def share(value: float, count: int, step: int, metric: str) -> Point:
    error = 1.96 * math.sqrt(max(value * (1 - value), 0.25 / count) / count)
    return Point(step=step, metric=metric, value=value, low=max(0.0, value - error), high=min(1.0, value + error), count=count)


def loss(value: float, step: int, metric: str) -> Point:
    return Point(step=step, metric=metric, value=value, low=value - 0.01, high=value + 0.01, count=512)


def points(step: int, n_train: int) -> list[Point]:
    """Copying sets in at 7 n steps, quality at 20."""
    copied = 0.7 / (1 + (7 * n_train / step) ** 3)
    held_out, gap = 0.55 * (20 / step) ** 0.3, 0.8 / (1 + (3 * n_train / step) ** 2)
    losses = [
        loss(held_out, step, "loss_held_out@100"),
        loss(held_out * (1 - gap), step, "loss_train@100"),
        loss(gap, step, "loss_gap@100"),
    ]
    return [share(copied, N_GENERATED, step, "f_mem"), share(0.001, N_HELD_OUT, step, "f_mem_control"), *losses]


@pytest.fixture
def sweep(client: TestClient, worker: FakeWorker) -> dict[str, Any]:
    answer = client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"steps": STEPS[-1]}})
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    for _ in view["runs"]:
        claim = worker.claim()
        n_train = next(run["params"]["n_train"] for run in view["runs"] if run["id"] == claim.run_id)
        for step in STEPS:
            worker.flush(claim, points=points(step, n_train), step=step, steps_per_second=9.0, seconds=1.0)
        with worker.sessions.begin() as session:
            record_summary(session, claim.run_id)
        worker.finish(claim)
    return view


def lose_half(worker: FakeWorker, seed: int) -> None:
    """Rows at random, whatever they belong to."""
    with worker.sessions.begin() as session:
        rows = session.execute(select(MetricPoint.series_id, MetricPoint.step)).all()
        for series, step in random.Random(seed).sample(rows, len(rows) // 2):
            session.execute(delete(MetricPoint).where(MetricPoint.series_id == series, MetricPoint.step == step))


def onsets(worker: FakeWorker) -> dict[str, dict[str, Onset]]:
    """Recomputed from the points that are there, as the worker does."""
    with worker.sessions.begin() as session:
        ids = session.scalars(select(Run.id)).all()
        for run_id in ids:
            record_summary(session, run_id)
        session.flush()
        return {run.id: {name: Onset.model_validate(onset) for name, onset in run.onsets.items()} for run in session.scalars(select(Run))}


def measured(worker: FakeWorker, run_id: str) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    with worker.sessions() as session:
        for point in read_points(session, run_id):
            found.setdefault(point.metric, set()).add(point.step)
    return found


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_question_is_answered_and_nothing_is_recommended_that_was_not_measured(
    client: TestClient, sweep: dict[str, Any], worker: FakeWorker, seed: int
) -> None:
    lose_half(worker, seed)
    onsets(worker)
    for question in QUESTIONS:
        answer = client.get(f"{API}/experiments/{sweep['id']}{question}")
        assert answer.status_code == 200, f"{question}: {answer.text}"
        assert b"NaN" not in answer.content and b"Infinity" not in answer.content
    for run in sweep["runs"]:
        left = measured(worker, run["id"])
        step = client.get(f"{API}/runs/{run['id']}/checkpoints").json()["recommendation"]["step"]
        assert step is None or (step in left["f_mem"] and step in left["loss_held_out@100"])


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_onsets_of_half_the_points_are_wider_and_do_not_contradict_those_of_all(sweep: dict[str, Any], worker: FakeWorker) -> None:
    whole = onsets(worker)
    reached = [onset for run in whole.values() for onset in run.values() if onset.status is OnsetStatus.REACHED]
    assert len(reached) >= 5
    lose_half(worker, seed=1)
    for run_id, half in onsets(worker).items():
        for name, onset in half.items():
            before = whole[run_id][name]
            if onset.status is OnsetStatus.UNDEFINED:
                assert onset.value is None and onset.reason
                continue
            assert onset.low is not None
            if before.value is not None:
                assert onset.low <= before.value <= (onset.high or math.inf), f"{name} of {run_id}"
            if onset.value is not None and onset.high is not None and before.low is not None and before.high is not None:
                assert onset.high - onset.low >= 0.99 * (before.high - before.low), f"{name} of {run_id}"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_run_whose_points_are_all_gone_says_so(client: TestClient, sweep: dict[str, Any], worker: FakeWorker) -> None:
    run_id = sweep["runs"][0]["id"]
    with worker.sessions.begin() as session:
        series = select(Series.id).where(Series.run_id == run_id)
        session.execute(delete(MetricPoint).where(MetricPoint.series_id.in_(series)))
    found = onsets(worker)[run_id]
    assert {onset.status for onset in found.values()} == {OnsetStatus.UNDEFINED}
    assert all("not measured" in onset.reason for onset in found.values())
    for question in QUESTIONS:
        assert client.get(f"{API}/experiments/{sweep['id']}{question}").status_code == 200
