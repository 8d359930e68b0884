"""The commands about queues and workers, against a running service."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from backend.storage.database import db_now
from backend.storage.tables import Worker
from tauscope.cli.app import app
from tauscope.specs import SpecError
from tests.client.conftest import LiveServer


def invoke(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def add_worker(server: LiveServer, **columns: Any) -> None:
    with server.context.sessions.begin() as session:
        session.add(Worker(name="lab-1", device="cuda:0-1", slots=2, seen_at=db_now(), code_version="0.1+a", **columns))


def test_workers_are_listed_and_one_drains_and_goes_on(server: LiveServer) -> None:
    where = ("--url", server.url)
    assert "python -m worker" in invoke("workers", *where)
    add_worker(server, queues=["gpu"])
    assert "tauscope drain lab-1 --off" in invoke("drain", "lab-1", *where)
    row = next(line for line in invoke("workers", *where).splitlines() if "lab-1" in line).split()
    assert row[:8] == ["lab-1", "cuda:0-1", "2", "0", "gpu", "0.1+a", "refuse", "yes"]
    assert "takes runs again" in invoke("drain", "lab-1", "--off", *where)
    assert json.loads(invoke("workers", "--json", *where))["workers"][0]["draining"] is False


def test_a_launch_into_a_queue_says_what_its_runs_wait_for(server: LiveServer) -> None:
    where = ("--url", server.url)
    identifier = invoke("launch", "digits-ci", "--queue", "gpu", *where).split()[0]
    assert "3 queued runs: no worker serves the queue 'gpu'; start one with TAUSCOPE_QUEUES=gpu" in invoke("show", identifier, *where)
    add_worker(server, queues=["gpu"], draining=True)
    assert "are draining (lab-1)" in invoke("show", identifier, *where)
    assert "queue gpu" in invoke("show", identifier, "--events", *where)


def test_a_queue_that_cannot_be_is_refused_before_anything_is_sent(server: LiveServer) -> None:
    with pytest.raises(SpecError, match="no name of a queue"):
        invoke("launch", "digits-ci", "--queue", "GPU 1", "--url", server.url)
