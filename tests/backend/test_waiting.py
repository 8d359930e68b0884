"""Why a queued run is not computed: in words for people, and in the query with which workers claim."""

from itertools import product
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.stream import ExperimentStream
from backend.services.waiting import waiting
from backend.storage.database import db_now, open_database, session_factory
from backend.storage.offers import offer_of, suits
from backend.storage.tables import Experiment, Run, Worker
from tests.backend.conftest import API, FakeWorker, TestClient

CREATE = {"preset": "digits-ci"}


def run(**columns: Any) -> Run:
    values = {"state": "queued", "desired": "run", "queue": "default", "spec": {"device": "auto"}, "steps": 10, "cost": 1.0}
    return Run(**(values | {"params": {}, "label": "", "index": 0} | columns))


def worker(name: str = "one", **columns: Any) -> Worker:
    values = {"device": "cpu", "slots": 1, "queues": ["default"], "code_version": "a", "code_version_policy": "refuse", "draining": False}
    return Worker(name=name, **(values | columns))


def test_a_run_that_a_worker_there_may_claim_waits_for_nothing() -> None:
    assert waiting(run(), [worker("busy", queues=["gpu"]), worker()]) == ""


@pytest.mark.parametrize("columns", [{"state": "running"}, {"state": "finished"}, {"state": "paused"}, {"desired": "stop"}])
def test_a_run_that_is_not_queued_or_not_wanted_waits_for_nobody(columns: dict[str, str]) -> None:
    assert waiting(run(**columns), []) == ""


@pytest.mark.parametrize(
    ("columns", "workers", "says"),
    [
        ({}, [], "no worker is there; start one with: python -m worker"),
        ({"queue": "gpu"}, [worker()], "no worker serves the queue 'gpu'; start one with TAUSCOPE_QUEUES=gpu"),
        (
            {"spec": {"device": "cuda"}},
            [worker(), worker("gpu", queues=["gpu"], device="cuda:0")],
            "no worker of the queue 'default' has device",
        ),
        (
            {"checkpoint_step": 450, "checkpoint_version": "b"},
            [worker(), worker("two", code_version="c")],
            "waits for a worker of code version b, which wrote its checkpoint at step 450; the workers here run a, c. Start one, or set",
        ),
        ({}, [worker(draining=True), worker("two", queues=["gpu"])], "are draining (one); start another, or: tauscope drain one --off"),
    ],
)
def test_the_reason_names_what_is_missing_and_the_remedy(columns: dict[str, Any], workers: list[Worker], says: str) -> None:
    assert says in waiting(run(**columns), workers)


def test_words_and_query_agree_on_every_run_and_worker(database_url: str) -> None:
    engine = open_database(database_url)
    queues, devices = ("default", "gpu"), (None, "auto", "cpu", "cuda", "cuda:1", "mps")
    checkpoints = ((None, None), (5, None), (5, "a"), (5, "a@cuda"), (5, "b"))
    with session_factory(engine).begin() as session:
        session.add(Experiment(id="e", name="", sweep={}, code_version=""))
        session.flush()
        for index, (queue, device, (step, version)) in enumerate(product(queues, devices, checkpoints)):
            spec = {"device": device} if device else {}
            columns = {"experiment_id": "e", "index": index, "queue": queue, "spec": spec}
            session.add(run(id=f"r{index}", checkpoint_step=step, checkpoint_version=version, **columns))
        session.flush()
        for serves, device, policy in product((["default"], ["gpu", "default"]), ("cpu", "cuda:0-3", "mps"), ("refuse", "accept")):
            asks = worker(queues=serves, device=device, code_version_policy=policy)
            assert _claimable(session, asks) == {item.id for item in session.scalars(select(Run)) if not waiting(item, [asks])}
    engine.dispose()


def _claimable(session: Session, asks: Worker) -> set[str]:
    return set(session.scalars(select(Run.id).where(suits(offer_of(asks)))))


def add_worker(context: Context, **columns: Any) -> None:
    with context.sessions.begin() as session:
        session.add(worker(seen_at=db_now(), **columns))


def test_a_queue_is_given_at_the_launch_and_only_its_workers_claim_the_runs(client: TestClient, context: Context) -> None:
    view = client.post(f"{API}/experiments", json=CREATE | {"queue": "gpu"}).json()
    assert {run["queue"] for run in view["runs"]} == {"gpu"}
    assert {run["waiting"] for run in view["runs"]} == {"no worker serves the queue 'gpu'; start one with TAUSCOPE_QUEUES=gpu"}
    add_worker(context, queues=["gpu"])
    assert {run["waiting"] for run in client.get(f"{API}/experiments/{view['id']}").json()["runs"]} == {""}


@pytest.mark.parametrize("queue", ["", "GPU", "-gpu", "a b", "x" * 41])
def test_a_name_that_no_queue_can_have_is_refused(client: TestClient, queue: str) -> None:
    problem = client.post(f"{API}/experiments", json=CREATE | {"queue": queue}).json()
    assert (problem["status"], problem["errors"][0]["path"]) == (422, "body.queue")


def test_an_open_page_hears_that_a_worker_came(client: TestClient, context: Context, experiment: dict[str, Any]) -> None:
    stream = ExperimentStream.open(context, experiment["id"], None)
    assert "no worker is there" in str(stream.poll())
    assert stream.poll() == []
    add_worker(context)
    news = stream.poll()
    assert news and "no worker is there" not in str(news)


def test_a_worker_that_fell_silent_is_not_counted_on(client: TestClient, context: Context, experiment: dict[str, Any]) -> None:
    with context.sessions.begin() as session:
        session.add(worker(seen_at=db_now() - 60))
    one = experiment["runs"][0]["id"]
    assert client.get(f"{API}/runs/{one}").json()["waiting"] == "no worker is there; start one with: python -m worker"
    assert len(client.get(f"{API}/system").json()["workers"]) == 1


def test_a_key_from_before_queues_still_names_the_same_request(client: TestClient, worker: FakeWorker) -> None:
    headers = {"Idempotency-Key": "mine"}
    first = client.post(f"{API}/experiments", json=CREATE, headers=headers).json()
    assert client.post(f"{API}/experiments", json=CREATE | {"queue": "default"}, headers=headers).json()["id"] == first["id"]
    assert client.post(f"{API}/experiments", json=CREATE | {"queue": "gpu"}, headers=headers).status_code == 409
