"""A database and artifacts that the first schema's code left, killed with runs in flight, are taken over by today's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.storage.artifacts import ArtifactStore
from backend.storage.database import open_database
from backend.storage.migrate import is_current, upgrade
from tauscope.client import TauscopeClient
from tauscope.contracts.runs import RunState
from tauscope.version import code_version
from tests.flows.first_schema import Rows, restore, rows_of
from tests.service import running_broker, running_service, wait_for

FIRST_CODE = "0.1.0+1052fa221c53"
FINISHED, IN_FLIGHT, QUEUED = "n_train=10", "n_train=9", "n_train=8"
Points = dict[str, list[tuple[int, float | None, float | None, float | None, int | None]]]


@pytest.fixture
def left(empty_database_url: str, tmp_path: Path) -> Rows:
    """What the first schema's code left, in the database and beside it."""
    restore(empty_database_url, tmp_path)
    return rows_of(empty_database_url)


@pytest.fixture
def client(left: Rows, empty_database_url: str, database_kind: str, tmp_path: Path) -> Iterator[TauscopeClient]:
    settings = {"TAUSCOPE_DATABASE_URL": empty_database_url, "TAUSCOPE_SLOTS": "1", "TAUSCOPE_CODE_VERSION_POLICY": "accept"}
    with (
        running_broker(tmp_path, on_a_port=database_kind == "postgres") as broker,
        running_service(tmp_path, settings | {"TAUSCOPE_BROKER_URL": broker}) as url,
        TauscopeClient(url) as client,
    ):
        yield client


def points_of(rows: Rows, label: str, up_to: int = 10**9) -> Points:
    """A run's points by metric, read from the tables without any code of the service."""
    run = id_of(rows, label)
    metrics = {series["id"]: series["metric"] for series in rows["series"] if series["run_id"] == run}
    points: Points = {}
    for row in rows["metric_point"]:
        if row["series_id"] in metrics and row["step"] <= up_to:
            values = tuple(row[name] for name in ("step", "value", "low", "high", "count"))
            points.setdefault(metrics[row["series_id"]], []).append(values)
    return points


def files_of(rows: Rows, label: str) -> dict[str, str]:
    run = id_of(rows, label)
    return {file["path"]: file["sha256"] for file in rows["run_file"] if file["run_id"] == run}


def id_of(rows: Rows, label: str) -> str:
    return next(str(run["id"]) for run in rows["run"] if run["label"] == label)


def test_the_upgrade_loses_and_alters_no_row(left: Rows, empty_database_url: str) -> None:
    assert [len(left[name]) for name in ("run", "attempt", "metric_point", "artifact", "run_file")] == [3, 2, 85, 18, 19]
    upgrade(empty_database_url)
    engine: Engine = open_database(empty_database_url)
    assert is_current(engine)
    engine.dispose()
    revision = left.pop("alembic_version")
    assert revision == [{"version_num": "0001"}]
    assert rows_of(empty_database_url, like=left) == left


# On Postgres, too, no row is lost, and the service runs in tests/deployment and tests/chaos.
@pytest.mark.parametrize("database_kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def test_the_service_of_today_ends_what_was_in_flight_and_serves_what_was_finished(
    left: Rows, client: TauscopeClient, empty_database_url: str, tmp_path: Path
) -> None:
    experiment = client.experiments().items[0].id
    wait_for(lambda: all(run.state is RunState.FINISHED for run in client.experiment(experiment).runs), "the end of every run", 120)
    now = rows_of(empty_database_url)
    runs = {run.label: run for run in client.experiment(experiment).runs}

    assert (points_of(now, FINISHED), files_of(now, FINISHED)) == (points_of(left, FINISHED), files_of(left, FINISHED))
    served = client.curves(experiment).runs[runs[FINISHED].id]
    assert {metric: list(zip(found.step, found.value, strict=True)) for metric, found in served.items()} == {
        metric: [point[:2] for point in points] for metric, points in points_of(left, FINISHED).items()
    }
    assert client.samples(runs[FINISHED].id).steps == (20, 69, 240)
    assert (runs[FINISHED].epoch, runs[FINISHED].code_note) == (1, "")

    first, second = client.run_attempts(runs[IN_FLIGHT].id)
    assert (first.code_version, second.rewound, second.resumed_version, second.from_step) == (FIRST_CODE, 62, FIRST_CODE, 69)
    assert runs[IN_FLIGHT].code_note == f"steps up to 69 computed by {FIRST_CODE}, later ones by {code_version()}"
    assert points_of(now, IN_FLIGHT, up_to=69) == points_of(left, IN_FLIGHT, up_to=69)
    assert {point[0] for point in points_of(now, IN_FLIGHT)["f_mem"]} == {20, 69, 240}

    assert [attempt.code_version for attempt in client.run_attempts(runs[QUEUED].id)] == [code_version()]
    assert {point[0] for point in points_of(now, QUEUED)["f_mem"]} == {20, 69, 240}
    store = ArtifactStore(str(tmp_path / "artifacts"))
    assert all(store.read(sha256) for label in runs for sha256 in files_of(now, label).values())
