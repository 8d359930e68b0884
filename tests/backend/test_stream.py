"""The event stream: complete, exactly once, cheap when nothing happens, and gone when the server goes."""

import json
import random
from typing import Any

import pytest
from fastapi.sse import ServerSentEvent

from backend.services.context import Context
from backend.services.stream import ExperimentStream
from backend.storage import curves
from backend.storage.claims import Claim, FencedError, claim_next, fall_back
from tauscope.contracts.curves import Curves
from tauscope.contracts.run_views import RunView
from tauscope.contracts.stream import STREAM_EVENTS
from tests.backend.conftest import API, FakeWorker, TestClient

Points = dict[tuple[str, str, int], float | None]


class Reader:
    """A page that keeps what the stream tells it, and insists on hearing everything once."""

    def __init__(self, context: Context, experiment_id: str, cursor: str | None = None) -> None:
        self._context = context
        self._id = experiment_id
        self.cursor = cursor
        self.points: Points = {}
        self.runs: dict[str, RunView] = {}
        self.names: list[str] = []
        self.connect()

    def connect(self) -> None:
        self._stream = ExperimentStream.open(self._context, self._id, self.cursor)

    def poll(self) -> list[ServerSentEvent]:
        events = self._stream.poll()
        assert events is not None
        return events

    def hear(self, events: list[ServerSentEvent]) -> None:
        for event in events:
            self._hear(event)

    def _hear(self, event: ServerSentEvent) -> None:
        assert event.event
        assert event.raw_data
        self.names.append(event.event)
        STREAM_EVENTS[event.event].model_validate_json(event.raw_data)
        data = json.loads(event.raw_data)
        if event.event == "rewind":
            self.points = {key: value for key, value in self.points.items() if key[0] != data["run_id"] or key[2] <= data["step"]}
        elif event.event == "points":
            self._keep(data)
        elif event.event == "run":
            self.runs[data["id"]] = RunView.model_validate(data)
        self.cursor = event.id or self.cursor

    def _keep(self, data: dict[str, Any]) -> None:
        for metric, columns in data["metrics"].items():
            for step, value in zip(columns["step"], columns["value"], strict=True):
                key = (data["run_id"], metric, step)
                assert key not in self.points, f"{key} came twice"
                self.points[key] = value


def fetched(client: TestClient, experiment: dict[str, Any], **query: str) -> Curves:
    response = client.get(f"{API}/experiments/{experiment['id']}/curves", params=query)
    assert response.status_code == 200
    return Curves.model_validate_json(response.content)


def flat(found: Curves) -> Points:
    return {
        (run, metric, step): value
        for run, metrics in found.runs.items()
        for metric, series in metrics.items()
        for step, value in zip(series.step, series.value, strict=True)
    }


def test_curves_are_columnar_and_say_what_each_metric_is(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    for step, share in ((10, 0.0), (20, 0.25)):
        worker.measure(claim, step, share)
    found = fetched(client, experiment)
    assert list(found.runs) == [run["id"] for run in experiment["runs"]]
    assert found.runs[claim.run_id]["f_mem"].step == (10, 20)
    assert found.runs[claim.run_id]["f_mem"].value == (0.0, 0.25)
    assert found.runs[claim.run_id]["frechet_pca"].reason == ("diverged", "diverged")
    assert found.metrics["f_mem"].control == "f_mem_control"
    assert found.cursor == "0.0-0.0-1.3"


def test_curves_of_chosen_metrics_leave_out_the_others(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    worker.measure(worker.claim(), 10)
    found = fetched(client, experiment, metrics="f_mem,f_mem_control")
    assert {metric for run in found.runs.values() for metric in run} == {"f_mem", "f_mem_control"}
    assert set(found.metrics) == set(fetched(client, experiment).metrics), "what else may be asked for is described all the same"


def test_unchanged_curves_are_not_sent_again(client: TestClient, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    address = f"{API}/experiments/{experiment['id']}/curves"
    etag = client.get(address).headers["etag"]
    assert client.get(address, headers={"If-None-Match": f'"other", W/{etag}'}).status_code == 304
    worker.measure(claim, 10)
    assert client.get(address, headers={"If-None-Match": etag}).status_code == 200


def test_the_stream_goes_on_exactly_where_the_curves_end(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    worker.measure(claim, 10)
    before = fetched(client, experiment)
    worker.measure(claim, 20)
    reader = Reader(context, experiment["id"], before.cursor)
    reader.hear(reader.poll())
    assert {step for _, _, step in reader.points} == {20}
    assert flat(before) | reader.points == flat(fetched(client, experiment))


def test_whoever_connects_learns_the_state_of_every_run(context: Context, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim()
    worker.finish(claim, 20.0)
    reader = Reader(context, experiment["id"])
    reader.hear(reader.poll())
    assert [view.state for view in reader.runs.values()] == ["queued", "queued", "finished"]
    assert reader.names.count("experiment") == 1


def test_nothing_is_sent_and_one_query_made_while_nothing_happens(
    context: Context, experiment: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = Reader(context, experiment["id"])
    reader.poll()
    monkeypatch.setattr("backend.services.stream.find_experiment", lambda *_: pytest.fail("read more than the fingerprint"))
    assert reader.poll() == []


def test_a_stop_request_is_news(client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker) -> None:
    worker.claim()
    reader = Reader(context, experiment["id"])
    reader.hear(reader.poll())
    client.post(f"{API}/experiments/{experiment['id']}/stop")
    reader.hear(reader.poll())
    assert {view.desired for view in reader.runs.values()} == {"stop"}


def test_a_run_that_went_back_to_its_checkpoint_says_so(context: Context, experiment: dict[str, Any], worker: FakeWorker) -> None:
    claim = worker.claim(lease_seconds=-1.0)
    worker.measure(claim, 10, checkpoint=True)
    worker.measure(claim, 20)
    reader = Reader(context, experiment["id"])
    reader.hear(reader.poll())
    assert worker.claim().run_id == claim.run_id
    reader.hear(reader.poll())
    assert "rewind" in reader.names
    assert {step for _, _, step in reader.points} == {10}


def test_a_damaged_checkpoint_found_after_the_claim_is_a_rewind_too(
    context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    worker.measure(claim, 10, checkpoint=True)
    reader = Reader(context, experiment["id"])
    reader.hear(reader.poll())
    with worker.sessions.begin() as session:
        fall_back(session, claim, 10, "is damaged")
    worker.measure(claim, 10)
    reader.hear(reader.poll())
    assert reader.names.count("rewind") == 1
    assert {step for _, _, step in reader.points} == {10}


def test_a_deleted_experiment_ends_its_streams(client: TestClient, context: Context, experiment: dict[str, Any]) -> None:
    stream = ExperimentStream.open(context, experiment["id"], None)
    client.post(f"{API}/experiments/{experiment['id']}/stop")
    assert client.delete(f"{API}/experiments/{experiment['id']}").status_code == 204
    assert stream.poll() is None


def test_a_cursor_from_the_future_of_a_restored_database_starts_over(
    context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    claim = worker.claim()
    worker.measure(claim, 10)
    reader = Reader(context, experiment["id"], "0.0-0.0-7.99")
    reader.points[(claim.run_id, "f_mem", 500)] = 0.9
    reader.hear(reader.poll())
    assert {step for _, _, step in reader.points} == {10}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_readers_cut_at_any_event_lose_nothing_and_hear_nothing_twice(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker, seed: int
) -> None:
    chance = random.Random(seed)
    held: dict[str, tuple[Claim, int]] = {}
    readers = [Reader(context, experiment["id"]) for _ in range(3)]
    for _ in range(60):
        _work(context, worker, held, chance)
        for reader in readers:
            if chance.random() < 0.5:
                events = reader.poll()
                delivered = chance.randint(0, len(events))
                reader.hear(events[:delivered])
                if delivered < len(events) or chance.random() < 0.2:
                    reader.connect()
    truth = flat(fetched(client, experiment))
    assert truth
    for reader in readers:
        reader.hear(reader.poll())
        assert reader.points == truth


def _work(context: Context, worker: FakeWorker, held: dict[str, tuple[Claim, int]], chance: random.Random) -> None:
    """One random deed of a worker; about half of its claims are left to expire and be taken over by the next."""
    if not held or chance.random() < 0.2:
        with context.sessions.begin() as session:
            claim = claim_next(session, "fake", chance.choice([-1.0, 60.0]))
        if claim:
            held[claim.run_id] = (claim, claim.checkpoint.step if claim.checkpoint else 0)
        return
    claim, step = held[chance.choice(sorted(held))]
    held[claim.run_id] = (claim, step + 1)
    try:
        if chance.random() < 0.15:
            worker.release(held.pop(claim.run_id)[0])
        else:
            worker.measure(claim, step + 1, checkpoint=chance.random() < 0.4)
    except FencedError:
        held.pop(claim.run_id, None)


def test_the_fingerprint_costs_one_aggregate_query(context: Context, experiment: dict[str, Any]) -> None:
    with context.sessions() as session:
        assert curves.fingerprint(session, experiment["id"]) == (3, 0, 0)
        assert curves.fingerprint(session, "0000") == (0, 0, 0)
