"""Estimates before a launch: what they rest on, how wide they are, and when there is none."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.services.context import Context
from backend.services.durations import schedule
from backend.storage.database import db_now
from backend.storage.tables import Attempt, Run, Worker
from tests.backend.conftest import API, FakeWorker, TestClient


def start_worker(context: Context, name: str = "laptop-1", slots: int = 2, silent: float = 0.0) -> None:
    with context.sessions.begin() as session:
        session.merge(Worker(name=name, device="cpu", slots=slots, busy=0, seen_at=db_now() - silent))


def finish_all(context: Context, worker: FakeWorker, count: int, seconds_per_cost: float, host: str = "laptop-1") -> None:
    """Finish every waiting run as if it had needed so many seconds for a unit of cost."""
    for _ in range(count):
        claim = worker.claim()
        worker.finish(claim)
        with context.sessions.begin() as session:
            run = session.get_one(Run, claim.run_id)
            run.seconds = run.cost * seconds_per_cost
            session.get_one(Attempt, (run.id, claim.epoch)).worker = host


def plan(client: TestClient, **settings: Any) -> dict[str, Any]:
    response = client.post(f"{API}/specs/plan", json={"preset": "digits-ci", "settings": settings})
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def test_where_nothing_was_run_yet_the_duration_is_unknown_and_says_why(client: TestClient, context: Context) -> None:
    start_worker(context)
    found = plan(client)
    assert found["estimate"] is None
    assert found["estimate_note"] == "unknown: nothing of this kind was finished here yet"


def test_without_a_worker_the_duration_is_unknown(client: TestClient, context: Context) -> None:
    start_worker(context, silent=60)
    assert "no worker" in plan(client)["estimate_note"]


def test_earlier_runs_of_the_same_network_give_the_pace(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    finish_all(context, worker, 3, 1e-4)
    start_worker(context, slots=1)
    found = plan(client)
    expected = [run["cost"] * 1e-4 for run in found["runs"]]
    estimate = found["estimate"]
    assert estimate["runs"] == pytest.approx(expected)
    assert estimate["seconds"] == pytest.approx(sum(expected))
    assert estimate["low"] == pytest.approx(estimate["seconds"] / 1.1)
    assert estimate["source"] == "3 earlier runs of this network and image size on this machine"
    assert estimate["past_runs"] == 3


def test_the_interval_widens_with_the_spread_of_earlier_runs(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    finish_all(context, worker, 2, 1e-4)
    finish_all(context, worker, 1, 4e-4)
    start_worker(context)
    estimate = plan(client)["estimate"]
    # The odd run is missed by a factor of four when it is foretold from the other two.
    assert estimate["high"] / estimate["seconds"] == pytest.approx(4.0)


def test_another_network_widens_the_interval_and_the_source_says_so(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    finish_all(context, worker, 3, 1e-4)
    start_worker(context)
    estimate = plan(client, width=32)["estimate"]
    assert estimate["high"] / estimate["seconds"] == pytest.approx(3.0)
    assert "of other networks, image sizes or computing" in estimate["source"]
    lacking = plan(client, device="cuda")
    assert (lacking["estimate"], lacking["estimate_note"]) == (None, "unknown: it lacks something here")


def test_runs_of_another_machine_count_only_while_there_are_none_of_this_one(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    finish_all(context, worker, 2, 5e-4, host="cluster-7")
    start_worker(context)
    assert "on other machines" in plan(client)["estimate"]["source"]
    finish_all(context, worker, 1, 1e-4)
    found = plan(client)
    assert found["estimate"]["runs"][0] == pytest.approx(found["runs"][0]["cost"] * 1e-4)
    assert "1 earlier run of" in found["estimate"]["source"]


def test_a_preset_names_the_experiment_that_finished_it_and_its_duration(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    def card() -> dict[str, Any]:
        return next(item for item in client.get(f"{API}/presets").json() if item["name"] == "digits-ci")

    assert card()["measured"] is None
    finish_all(context, worker, 3, 1e-4)
    start_worker(context)
    assert card()["measured"] == experiment["id"]
    assert 0 <= card()["measured_seconds"] < 60
    assert card()["estimate"]["past_runs"] == 3
    client.post(f"{API}/experiments", json={"preset": "digits-ci", "settings": {"seed": 9}})
    finish_all(context, worker, 3, 1e-4)
    assert card()["measured"] == experiment["id"], "another seed is another sweep"


def test_the_longest_run_goes_first_and_slots_are_filled_evenly() -> None:
    assert schedule({0: 1.0, 1: 2.0, 2: 4.0, 3: 8.0}, 2) == ((3,), (2, 1, 0))
    assert schedule({0: 1.0}, 4) == ((0,),)


def test_kinds_come_with_titles_units_groups_and_the_registered_data_sets(client: TestClient) -> None:
    kinds = {kind["name"]: kind for kind in client.get(f"{API}/kinds").json()}
    kind = kinds["image_ddpm"]
    assert kind["name"] == kind["defaults"]["kind"] == "image_ddpm"
    assert kind["aliases"]["width"] == "network.base_width"
    data = kind["json_schema"]["$defs"]["DatasetSpec"]["properties"]
    assert data["n_train"] == {
        "default": 64,
        "description": "training-set size n",
        "group": "Sweep",
        "maximum": 10**9,
        "minimum": 2,
        "title": "Training images n",
        "type": "integer",
        "unit": "images",
    }
    assert "digits" in data["name"]["examples"]
    assert "weather_jfk" in kinds["timeseries"]["json_schema"]["$defs"]["SeriesSpec"]["properties"]["name"]["examples"]


def test_a_run_from_before_a_field_was_known_still_gives_the_pace_and_one_computed_otherwise_does_not(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    finish_all(context, worker, 3, 1e-4)
    start_worker(context, slots=1)
    with context.sessions.begin() as session:
        for run in session.scalars(select(Run)):
            run.spec = {name: value for name, value in run.spec.items() if name != "compute"}
    assert "of this network and image size" in plan(client)["estimate"]["source"]
    assert "of other networks, image sizes or computing" in plan(client, precision="bfloat16")["estimate"]["source"]


def test_a_cost_that_was_stored_before_features_were_counted_is_counted_again(
    client: TestClient, context: Context, experiment: dict[str, Any], worker: FakeWorker
) -> None:
    dear = {"name": "pixels_pca", "components": 2048, "metrics": ["frechet", "frechet_infinity", "fld_gap"]}  # No weights are needed.
    features = {"measurement.features": [dear]}
    dearer = plan(client, **features)["runs"]
    finish_all(context, worker, 3, 1e-4)
    start_worker(context, slots=1)
    with context.sessions.begin() as session:
        for run in session.scalars(select(Run)):
            assert dearer[run.index]["cost"] > 1.3 * run.cost
            run.spec = dearer[run.index]["spec"]  # As it was measured; its cost is still that of a run without.
            run.seconds = dearer[run.index]["cost"] * 1e-4
    found = plan(client, **features)
    assert found["estimate"]["runs"] == pytest.approx([run["cost"] * 1e-4 for run in found["runs"]])
