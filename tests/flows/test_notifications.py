"""From a run on the real stack to the receiver of its news: API, worker and reconciler as processes, a receiver over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tauscope.client import TauscopeClient, verify_webhook
from tauscope.contracts.experiments import ExperimentCreate
from tests.receiver import http_receiver
from tests.service import running_broker, running_service, wait_for


@pytest.fixture
def database_kind() -> str:
    """The outbox itself is tested on both."""
    return "sqlite"


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TauscopeClient]:
    """The service with a trainer that counts instead of training."""
    settings = {
        "TAUSCOPE_DATABASE_URL": database_url,
        "TAUSCOPE_TRAINER_MODULE": "tests.worker.fake_child",
        "TAUSCOPE_RECONCILE_SECONDS": "0.2",
        "TAUSCOPE_WEBHOOKS_PRIVATE": "true",
        "TAUSCOPE_PUBLIC_URL": "https://lab.org",
    }
    with (
        running_broker(tmp_path, on_a_port=False) as broker,
        running_service(tmp_path, settings | {"TAUSCOPE_BROKER_URL": broker}) as url,
        TauscopeClient(url) as client,
    ):
        yield client


def test_a_receiver_hears_of_every_end_once_and_of_the_experiment_last(client: TauscopeClient) -> None:
    with http_receiver() as receiver:
        hook = client.add_hook(receiver.url, events=["run.finished", "run.failed", "experiment.ended"])
        settings = {"n_train": [8, 16], "steps": 40}
        experiment = client.launch(ExperimentCreate(preset="digits-ci", settings=settings))
        wait_for(lambda: len(receiver.received) >= 3, "all the news", seconds=50)
        said = {request.headers["webhook-id"]: verify_webhook(hook.secret, request.headers, request.body) for request in receiver.received}
        wait_for(lambda: all(item.state == "delivered" for item in client.deliveries(hook.id)), "the last answer")
    assert sorted(item.event for item in said.values()) == ["experiment.ended", "run.finished", "run.finished"]
    assert {item.run.id for item in said.values() if item.run} == {run.id for run in client.experiment(experiment.id).runs}
    (ended,) = [item for item in said.values() if item.event == "experiment.ended"]
    assert ended.experiment is not None and ended.experiment.runs == {"finished": 2}
    assert ended.links["experiment"] == f"https://lab.org/experiment?id={experiment.id}"
    assert sorted(len(item.attempts) for item in client.deliveries(hook.id)) == [1, 1, 1]
