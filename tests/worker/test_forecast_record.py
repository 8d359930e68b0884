"""A store that grows run by run, through what a worker does with each checkpoint's points, judges its own forecasts."""

import gzip
import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from backend.services.forecasts import judged
from backend.storage.flush import record_points
from backend.storage.tables import Run
from tauscope.contracts.points import Point
from tests.worker.conftest import AddRun
from worker.summaries import record_summary

RUNS = Path(__file__).parents[1] / "fixtures" / "forecast_runs" / "runs.json.gz"


@pytest.fixture
def database_kind() -> str:
    """What is judged is arithmetic; that both databases keep forecasts is tested beside this."""
    return "sqlite"


def flushes(series: dict[str, list[list[float]]]) -> Iterator[tuple[int, list[Point]]]:
    """The points of each step, the control with every f_mem, as a run brings them."""
    made = [
        Point(step=int(step), metric=metric, value=value, low=low, high=high, count=int(count))
        for metric, rows in series.items()
        for step, value, low, high, count in rows
    ]
    (control,) = [point for point in made if point.metric == "f_mem_control"]
    made = [point for point in made if point is not control]
    made += [control.model_copy(update={"step": point.step}) for point in made if point.metric == "f_mem"]
    for step, points in groupby(sorted(made, key=lambda point: point.step), key=lambda point: point.step):
        yield step, list(points)


@pytest.mark.slow
def test_the_record_of_thirty_real_runs_covers_and_beats_the_plain_law(sessions: sessionmaker[Session], add_run: AddRun) -> None:
    documents: list[dict[str, Any]] = json.loads(gzip.decompress(RUNS.read_bytes()))["runs"]
    for place, run in enumerate(sorted(documents, key=lambda run: (run["seed"], run["n_train"]))[:30]):
        run_id = add_run(f"r{place:02d}", spec=run["spec"])
        for step, points in flushes(run["series"]):
            with sessions.begin() as session:
                record_points(session, run_id, points, 1)
                session.get_one(Run, run_id).step = step
                record_summary(session, run_id)
    found = judged(sessions)
    assert found.last.coverage_80.count >= 25
    # About thirty runs leave the share's own interval wide; it must hold what was claimed.
    for score in (found.first, found.last):
        assert score.coverage_80.low < 0.8 < score.coverage_80.high
        assert score.error_compared is not None and score.error_plain is not None
        assert score.error_compared < score.error_plain
    assert found.last.error is not None and found.first.error is not None and found.last.error < 0.7 * found.first.error
