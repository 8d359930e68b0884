"""Curves as programs and pages ask for them: bounded, as Arrow, as CSV, and not twice."""

import csv
import io
from typing import Any

import pyarrow as pa
import pytest

from backend.services.curve_cache import CurveCache, CurveKey, Held
from backend.storage import curves
from backend.storage.claims import Claim
from backend.storage.cursor import Mark
from tauscope.contracts.curves import Curves
from tauscope.contracts.points import Point
from tests.backend.conftest import API, FakeWorker, TestClient

ARROW = "application/vnd.apache.arrow.stream"
HEADER = ["n", "run", "seed", "metric", "tau", "value", "low", "high", "count", "reason"]


def measure_many(worker: FakeWorker, claim: Claim, count: int, start: int = 1) -> None:
    worker.flush(claim, points=[Point(step=start + k, metric="loss_train@10", value=1 / (start + k)) for k in range(count)])


def address(experiment: dict[str, Any], form: str = "curves") -> str:
    return f"{API}/experiments/{experiment['id']}/{form}"


def test_max_points_bounds_every_series_and_leaves_short_ones_whole(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    measure_many(worker, claim, 500)
    worker.measure(claim, 10)
    found = Curves.model_validate_json(client.get(address(experiment), params={"max_points": 40}).content).runs[claim.run_id]
    assert 20 < len(found["loss_train@10"].step) <= 40
    assert found["f_mem"].step == (10,)


def test_curves_of_some_metrics_name_every_metric_that_can_be_asked_for(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    worker.measure(claim, 10)
    few, every = (Curves.model_validate_json(client.get(address(experiment), params=query).content) for query in ({"metrics": "f_mem"}, {}))
    assert set(few.runs[claim.run_id]) == {"f_mem"} < set(every.runs[claim.run_id])
    assert few.metrics == every.metrics


def test_max_points_below_eight_is_refused_at_the_field(client: TestClient, experiment: dict[str, Any]) -> None:
    response = client.get(address(experiment), params={"max_points": 3})
    assert response.status_code == 422
    assert response.json()["errors"][0]["path"] == "query.max_points"


def test_bounded_curves_follow_new_points_a_rewind_and_other_questions(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()

    def last(**query: Any) -> int:
        found = Curves.model_validate_json(client.get(address(experiment), params={"max_points": 50} | query).content)
        return found.runs[claim.run_id]["loss_train@10"].step[-1]

    measure_many(worker, claim, 100)
    assert (last(), last()) == (100, 100)
    measure_many(worker, claim, 20, start=101)
    assert last() == 120
    worker.release(claim)
    again = worker.claim()
    assert again.run_id == claim.run_id
    measure_many(worker, again, 5)
    assert last() == 5
    assert last(metrics="loss_train@10") == 5


def test_a_run_is_read_whole_once_and_then_only_what_it_measured_since(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = worker.claim()
    measure_many(worker, claim, 5)
    asked: list[int] = []
    read = curves.run_curves

    def spy(session: Any, run_ids: Any, metrics: Any) -> Any:
        asked.append(len(run_ids))
        return read(session, run_ids, metrics)

    monkeypatch.setattr("backend.services.curves.points.run_curves", spy)
    client.get(address(experiment), params={"max_points": 50})
    measure_many(worker, claim, 5, start=4)
    found = Curves.model_validate_json(client.get(address(experiment), params={"max_points": 50}).content)
    assert found.runs[claim.run_id]["loss_train@10"].step == tuple(range(1, 9))
    assert asked == [3]


def test_curves_that_grew_while_they_were_watched_keep_ends_and_extremes(
    client: TestClient, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    for place in range(20):
        value = 99.0 if place == 7 else 1.0
        points = [Point(step=50 * place + k + 1, metric="loss_train@10", value=value + k / 100) for k in range(50)]
        worker.flush(claim, points=points)
        client.get(address(experiment), params={"max_points": 30})
    found = Curves.model_validate_json(client.get(address(experiment), params={"max_points": 30}).content)
    series = found.runs[claim.run_id]["loss_train@10"]
    assert (series.step[0], series.step[-1]) == (1, 1000)
    assert max(value for value in series.value if value is not None) == 99.49
    assert len(series.step) <= 30


def test_curves_come_as_an_arrow_stream_to_whoever_asks(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    worker.measure(claim, 10, 0.25)
    response = client.get(address(experiment), headers={"Accept": f"{ARROW}, application/json;q=0.5"})
    assert response.headers["content-type"] == ARROW
    table = pa.ipc.open_stream(response.content).read_all()
    assert table.column_names == HEADER
    (row,) = [row for row in table.to_pylist() if row["metric"] == "f_mem"]
    assert (row["run"], row["tau"], row["value"], row["low"], row["count"], row["reason"]) == (claim.run_id, 10, 0.25, 0.4, 32, None)
    assert table.schema.metadata[b"cursor"].decode() == client.get(address(experiment)).json()["cursor"]


def test_json_and_arrow_have_tags_of_their_own(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    worker.measure(worker.claim(), 10)
    tag = client.get(address(experiment)).headers["etag"]
    other = client.get(address(experiment), headers={"Accept": ARROW, "If-None-Match": tag})
    assert other.status_code == 200
    again = client.get(address(experiment), headers={"Accept": ARROW, "If-None-Match": other.headers["etag"]})
    assert again.status_code == 304
    assert client.get(address(experiment), params={"max_points": 50}).headers["etag"] != tag


def test_an_experiment_without_points_is_an_empty_table(client: TestClient, experiment: dict[str, Any]) -> None:
    table = pa.ipc.open_stream(client.get(address(experiment), headers={"Accept": ARROW}).content).read_all()
    assert (table.num_rows, table.column_names) == (0, HEADER)


def test_csv_holds_every_point_as_measured(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    measure_many(worker, claim, 300)
    worker.measure(claim, 10, 0.25)
    response = client.get(address(experiment, "curves.csv"), params={"metrics": "loss_train@10,frechet_pca"})
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert list(rows[0]) == HEADER
    losses = [row for row in rows if row["metric"] == "loss_train@10"]
    assert [int(row["tau"]) for row in losses] == list(range(1, 301))
    assert [float(row["value"]) for row in losses] == [1 / step for step in range(1, 301)]
    (lost,) = [row for row in rows if row["metric"] == "frechet_pca"]
    assert (lost["value"], lost["reason"]) == ("", "diverged")
    (run,) = [run for run in experiment["runs"] if run["id"] == claim.run_id]
    assert {(row["n"], row["run"]) for row in rows} == {(str(run["n_train"]), run["id"])}


def test_onsets_come_as_csv_with_their_state(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    worker.finish(worker.claim(), 20.0)
    (row,) = csv.DictReader(io.StringIO(client.get(address(experiment, "onsets.csv")).text))
    assert (row["onset"], row["status"], float(row["tau"]), float(row["low"]), float(row["high"])) == (
        "tau_mem",
        "reached",
        20.0,
        16.0,
        25.0,
    )


@pytest.mark.parametrize("form", ["curves", "curves.csv", "onsets.csv"])
def test_curves_of_an_unknown_experiment_are_not_found_in_any_form(client: TestClient, form: str) -> None:
    assert client.get(f"{API}/experiments/0000/{form}", params={"max_points": 50}).status_code == 404


def test_the_cache_forgets_the_least_recently_used_first() -> None:
    cache = CurveCache(max_bytes=10)
    keys = [CurveKey(f"run{place}", None, 800) for place in range(3)]
    held = Held(Mark(1, 1), {}, b"12345")
    cache.put(keys[0], held)
    cache.put(keys[1], held)
    cache.get(keys[0])
    cache.put(keys[2], held)
    assert [cache.get(key) is None for key in keys] == [False, True, False]
