"""The client against a real server on a real port."""

import threading
import zipfile
from itertools import islice
from pathlib import Path

import httpx
import pytest
import uvicorn

from backend.settings import ApiSettings
from tauscope.client import ApiError, ApiUnreachable, StreamEvent, TauscopeClient
from tauscope.client.stream import parse
from tauscope.client.transport import IDLE_SECONDS
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.run_views import RunView
from tauscope.contracts.stream import PointsNews
from tauscope.specs import KINDS
from tests.backend.conftest import FakeWorker
from tests.client.conftest import LiveServer

CREATE = ExperimentCreate(preset="digits-ci", settings={"steps": 20})


def test_everything_a_page_needs_comes_back_typed(api: TauscopeClient, worker: FakeWorker, tmp_path: Path) -> None:
    assert "digits-ci" in [preset.name for preset in api.presets()]
    assert "digits" in [dataset.name for dataset in api.datasets()]
    assert "axes" in api.schema()["properties"]
    assert [kind.name for kind in api.kinds()] == list(KINDS)
    assert len(api.plan(CREATE).runs) == 3
    launched = api.launch(CREATE, idempotency_key="once")
    assert api.launch(CREATE, idempotency_key="once").id == launched.id
    assert api.experiments(state="queued").items[0].id == launched.id == api.experiment(launched.id).id
    claim = worker.claim()
    worker.store_samples(claim, 10)
    worker.measure(claim, 10)
    assert api.run(claim.run_id).step == 10
    assert api.curves(launched.id, ["f_mem"]).runs[claim.run_id]["f_mem"].step == (10,)
    assert (api.warnings(launched.id).warnings, api.calibration()) == ((), ())
    assert "loss_gap@100" in api.warnings(launched.id).metrics
    assert api.samples(claim.run_id).step == api.samples(claim.run_id, 10).step == 10
    assert [(item.step, item.state) for item in api.sample_steps(claim.run_id).steps] == [(10, "measured")]
    assert (api.seed(claim.run_id, 0).step, api.seed(claim.run_id, 0).first_copied_at) == ((10,), 10)
    assert "database" in [check.part for check in api.diagnosis().checks]
    assert [event.name for event in api.run_events(claim.run_id)] == ["created", "claimed"]
    (attempt,) = api.run_attempts(claim.run_id)
    assert (attempt.epoch, attempt.worker, attempt.to_step, attempt.outcome) == (1, "fake", 10, "")
    assert api.system().running == 1
    worker.measure(claim, 20, checkpoint=True)
    assert [item.pinned for item in api.pin(claim.run_id, 20).checkpoints] == [True]
    assert [item.pinned for item in api.pin(claim.run_id, 20, pinned=False).checkpoints] == [False]
    assert [item.step for item in api.checkpoints(claim.run_id).checkpoints] == [20]
    assert api.prune(launched.id).dry_run and not api.prune_run(claim.run_id, dry_run=False).dry_run
    assert api.collect_garbage().files == 0
    waiting = next(run for run in launched.runs if run.id != claim.run_id)
    assert (api.pause_run(waiting.id).state, api.resume_run(waiting.id).state) == ("paused", "queued")
    assert api.pause(launched.id).runs[waiting.index].state == "paused"
    assert api.resume(launched.id).runs[waiting.index].state == "queued"
    assert api.set_priority(launched.id, 3).runs[waiting.index].priority == 3
    assert api.set_run_priority(waiting.id, -3).priority == -3
    assert api.stop_run(waiting.id).state == "stopped"
    api.stop(launched.id)
    worker.finish(claim)
    assert api.set_tags(launched.id, ["talk"]).tags == ("talk",)
    assert api.census(tag="talk").counts["all"] == api.experiments(query="n > 16", tag="talk").total == 1
    assert api.set_archived(launched.id, True).archived
    assert (api.experiments().total, api.experiments(archived=True).total) == (0, 1)
    assert api.preview_deletion(launched.id).runs == 3
    assert api.summary(launched.id).experiment == "digits-ci"
    with zipfile.ZipFile(api.export(launched.id, tmp_path / "export.zip")) as archive:
        assert "summary.json" in archive.namelist()
    api.delete(launched.id)
    assert api.experiments().items == ()


def test_checkpoints_are_asked_to_be_measured_again_listed_and_forgotten(api: TauscopeClient, worker: FakeWorker) -> None:
    run = api.launch(ExperimentCreate(preset="digits-ci")).runs[0]
    held = worker.claim()
    worker.measure(held, 10, checkpoint=True)
    made = api.remeasure(held.run_id, {"n_generated": 4096}, steps=[10], name="more")
    assert (made.name, [item.state for item in made.steps], api.gaps(run.id).steps) == ("more", ["waiting"], ())
    assert api.remeasurements(held.run_id) == (made,)
    assert api.draw_again(held.run_id).steps == ()
    api.forget_remeasurement(held.run_id, made.id)
    assert api.remeasurements(held.run_id) == ()


def test_curves_that_did_not_change_are_not_sent_again(api: TauscopeClient, worker: FakeWorker) -> None:
    launched = api.launch(CREATE)
    claim = worker.claim()
    worker.measure(claim, 10)
    first = api.curves(launched.id, max_points=50)
    assert api.curves(launched.id, max_points=50) is first
    worker.measure(claim, 20)
    assert api.curves(launched.id, max_points=50).runs[claim.run_id]["f_mem"].step == (10, 20)
    worker.finish(claim)
    api.stop(launched.id)
    api.delete(launched.id)
    with pytest.raises(ApiError):
        api.curves(launched.id, max_points=50)


def test_a_refusal_carries_the_problem(api: TauscopeClient) -> None:
    with pytest.raises(ApiError, match="width") as refusal:
        api.plan(ExperimentCreate(preset="digits-ci", settings={"width": 7}))
    assert refusal.value.problem.code == "invalid_spec"
    assert refusal.value.problem.errors[0].path.endswith("base_width")


@pytest.mark.parametrize("identity", ["../presets", "x/../../presets", "0000?limit=1", ""])
def test_an_id_never_leads_to_another_address(api: TauscopeClient, identity: str) -> None:
    with pytest.raises((ApiError, ValueError)):
        api.experiment(identity)


def test_a_service_that_does_not_answer_is_told_apart_from_a_refusal() -> None:
    with TauscopeClient("http://127.0.0.1:1") as client, pytest.raises(ApiUnreachable, match="tauscope up") as failure:
        client.system()
    assert failure.value.problem.code == "unreachable"


def test_an_answer_of_some_other_server_is_an_error_of_its_own(server: LiveServer) -> None:
    with TauscopeClient(f"{server.url}/elsewhere") as client, pytest.raises(ApiError):
        client.system()


def test_the_token_is_sent_as_bearer(database_url: str, tmp_path: Path) -> None:
    token = "correct-horse-battery"
    live = LiveServer(ApiSettings.model_validate({"database_url": database_url, "home": tmp_path, "token": token}))
    with TauscopeClient(live.url, token=token) as client:
        assert client.system().running == 0
    with TauscopeClient(live.url) as stranger, pytest.raises(ApiError) as refusal:
        stranger.system()
    live.stop()
    assert refusal.value.problem.status == 401


def points(events: list[StreamEvent]) -> list[int]:
    return [step for event in events if isinstance(event.data, PointsNews) for step in event.data.metrics["f_mem"].step]


def test_events_arrive_as_they_happen_and_go_on_after_the_server_was_restarted(
    api: TauscopeClient, server: LiveServer, worker: FakeWorker
) -> None:
    experiment = api.launch(CREATE)
    claim = worker.claim()
    worker.measure(claim, 5)
    stream = api.events(experiment.id)
    heard = list(islice(stream, 5))
    assert sorted(event.name for event in heard) == ["experiment", "points", "run", "run", "run"]
    worker.measure(claim, 10)
    heard.append(next(stream))
    server.stop()
    worker.measure(claim, 15)
    server.start()
    while points(heard)[-1] != 15:
        heard.append(next(stream))
    assert points(heard) == [5, 10, 15], "nothing lost and nothing twice"
    assert sum(isinstance(event.data, RunView) for event in heard) >= 3


def test_following_a_deleted_experiment_ends_with_the_reason(api: TauscopeClient) -> None:
    experiment = api.launch(CREATE)
    stream = api.events(experiment.id)
    next(stream)
    api.stop(experiment.id)
    api.delete(experiment.id)
    with pytest.raises(ApiError) as refusal:
        list(stream)
    assert refusal.value.problem.code == "experiment_not_found"


def test_following_a_dead_service_gives_up_after_the_patience_it_was_given() -> None:
    with TauscopeClient("http://127.0.0.1:1") as client, pytest.raises(ApiUnreachable):
        next(client.events("0000", patience=0.0))


def test_the_server_stops_though_streams_are_open(api: TauscopeClient, server: LiveServer) -> None:
    address = f"{server.url}/api/v1/experiments/{api.launch(CREATE).id}/events"
    connected = threading.Barrier(6)

    def listen() -> None:
        with httpx.stream("GET", address, timeout=20, trust_env=False) as response:
            chunks = response.iter_bytes()
            next(chunks)
            connected.wait()
            list(chunks)

    listeners = [threading.Thread(target=listen) for _ in range(5)]
    for listener in listeners:
        listener.start()
    connected.wait(60)
    server.stop()
    for listener in listeners:
        listener.join(60)
        assert not listener.is_alive()
    server.start()


def test_an_event_cut_in_the_middle_is_left_out() -> None:
    sent = b'event: run\ndata: {"a":\ndata: 1}\nid: 1.1\n\n: comment\n\nretry: 5\nevent: run\nda'
    for cut in range(1, len(sent)):
        events = list(parse([sent[:cut], sent[cut:]]))
        assert events[0] == {"event": "run", "data": '{"a":\n1}', "id": "1.1"}
        assert not any(event.get("event") == "run" for event in events[1:])


def test_data_may_hold_any_sign_of_unicode() -> None:
    text = "n=1\u2028\u0085\x0b\x0c"
    assert [event["data"] for event in parse([f"data: {text}\r\n\r\n".encode()])] == [text]


def test_an_unused_connection_is_let_go_well_before_the_service_closes_it() -> None:
    # Under load one that both ends of a pool gave up at the same moment was a request lost: ReadError, and 502 in the dashboard.
    assert uvicorn.Config(app=None).timeout_keep_alive / 2 >= IDLE_SECONDS
