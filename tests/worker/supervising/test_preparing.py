"""A run whose images are being prepared says so, and keeps its lease."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from backend.storage.tables import RunEvent
from tests.worker.supervising.supervised import Sessions, change, serve_until_over, the_run
from worker.settings import WorkerSettings
from worker.supervisor import Supervisor, open_services


def test_a_run_says_how_far_its_images_are_and_forgets_it_once_it_trains(
    supervisor: Supervisor, sessions: Sessions, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepares = tmp_path / "prepares"
    prepares.touch()
    monkeypatch.setenv("FAKE_CHILD_PREPARES", str(prepares))
    change(sessions, reason="the trouble of an earlier attempt")
    serving = threading.Thread(target=lambda: supervisor.serve(tiny))
    serving.start()
    deadline = time.monotonic() + 60
    while not (run := the_run(sessions)).reason.startswith("prepares") and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (run.state, run.step, run.reason) == ("running", 0, "prepares the images of its data set: 34 % of 50")
    prepares.unlink()
    serving.join(60)
    run = the_run(sessions)
    assert (run.state, run.reason) == ("finished", "")


def test_what_a_reader_should_know_of_the_images_stands_once_among_the_events_of_a_run(
    settings: WorkerSettings, sessions: Sessions, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_CHILD_REMARK", "2 of 50 images are smaller")
    supervisor = Supervisor(open_services(settings.model_copy(update={"segment_seconds": 0.05})))
    assert serve_until_over(supervisor, sessions).state == "finished"
    with sessions() as session:
        events = session.execute(select(RunEvent.name, RunEvent.detail)).all()
    assert [detail for name, detail in events if name == "images"] == ["2 of 50 images are smaller"]
    assert sum(name == "released" for name, _ in events) > 0, "the run was resumed"
    supervisor.close()
    supervisor.services.close()
