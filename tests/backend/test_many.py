"""With many runs and many points a page costs as many queries as with few, and what is known is not computed again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import event

from backend.services.context import Context
from backend.storage import curves
from backend.storage.forecasts import forecasts_to_judge, keep_forecast, write_trajectory
from tauscope.analysis.trajectories import Trajectory
from tauscope.contracts.curves import Curves
from tauscope.contracts.forecasts import FORECAST_VERSION
from tauscope.contracts.points import Point
from tests.backend.conftest import API, FakeWorker, TestClient
from tests.backend.test_forecasts import made, reached
from tests.backend.test_warnings import GAP, compute, launch, warnings

Counted = Callable[[str], int]


@pytest.fixture
def queries(client: TestClient, context: Context) -> Iterator[Counted]:
    """How many statements a GET takes."""
    seen: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(statement)

    event.listen(context.engine, "before_cursor_execute", note)

    def counted(address: str) -> int:
        seen.clear()
        response = client.get(f"{API}{address}")
        assert response.status_code == 200, response.text
        return len(seen)

    yield counted
    event.remove(context.engine, "before_cursor_execute", note)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many runs each reading of whole series was about."""
    seen: list[int] = []
    read = curves.run_curves

    def spy(session: Any, run_ids: Any, metrics: Any) -> Any:
        seen.append(len(run_ids))
        return read(session, run_ids, metrics)

    for module in ("curves.points", "warnings"):
        monkeypatch.setattr(f"backend.services.{module}.run_curves", spy)
    return seen


PAGES = (
    "/experiments/{id}",
    "/experiments/{id}/curves",
    "/experiments/{id}/curves?max_points=50",
    "/experiments/{id}/warnings",
    "/experiments?limit=20",
    "/experiments/census",
    "/system",
    "/forecasts/calibration",
)


def test_a_page_takes_as_many_queries_for_many_runs_as_for_few(client: TestClient, worker: FakeWorker, queries: Counted) -> None:
    few = launch(client, 1, 2)
    compute(worker, 6)
    before = {page: queries(page.format(id=few)) for page in PAGES}
    many = launch(client, 3, 4, 5)
    compute(worker, 9)
    assert {page: queries(page.format(id=many)) for page in PAGES} == before


def test_warnings_that_cannot_have_changed_are_told_without_reading_a_point(
    client: TestClient, worker: FakeWorker, reads: list[int]
) -> None:
    launch(client, 1, 2)
    compute(worker, 6)
    identifier = launch(client, 3)
    running = worker.claim()

    def told_after(step: int | None = None) -> list[float | None]:
        if step is not None:
            worker.flush(running, points=[Point(step=step, metric=GAP, value=0.1, low=0.0, high=0.2, count=512)])
        return [item.onset.low if item.onset else None for item in warnings(client, identifier).warnings]

    assert (told_after(10), told_after(), reads) == ([10], [10], [1])
    assert (told_after(20), told_after(), reads) == ([20], [20], [1, 1])


def test_a_second_length_of_the_same_curves_is_made_from_the_first(client: TestClient, worker: FakeWorker, reads: list[int]) -> None:
    identifier = launch(client, 1)
    claim = worker.claim()
    worker.flush(claim, points=[Point(step=step, metric=GAP, value=step / 900, low=0.0, high=1.0) for step in range(1, 301)])
    found = {
        most: Curves.model_validate_json(client.get(f"{API}/experiments/{identifier}/curves", params={"max_points": most}).content)
        for most in (200, 20, 120)
    }
    assert reads == [3]
    for most, answer in found.items():
        steps = answer.runs[claim.run_id][GAP].step
        assert len(steps) <= most
        assert (steps[0], steps[-1]) == (1, 300)


def test_of_many_forecasts_of_a_run_the_first_and_the_last_are_read_to_judge_them(
    client: TestClient, context: Context, experiment: dict[str, Any]
) -> None:
    ids = [run["id"] for run in experiment["runs"]]
    with context.sessions.begin() as session:
        for run_id in ids:
            write_trajectory(session, run_id, "domain", Trajectory("alike", 8, reached(100), {}))
            for step in range(10, 100, 10):
                keep_forecast(session, run_id, made(step, 100 + step))
        keep_forecast(session, ids[0], made(5, 100))
    with context.sessions() as session:
        rows = [(row[0].run_id, row[0].step) for row in forecasts_to_judge(session, FORECAST_VERSION)]
    assert rows == [(run_id, step) for run_id in sorted(ids) for step in ((5 if run_id == ids[0] else 10), 90)]
