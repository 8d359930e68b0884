"""Forecasts over HTTP: those of a run beside what happened, and how all of them turned out."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.services.context import Context
from backend.storage.flush import write_summary
from backend.storage.forecasts import keep_forecast, set_forecast, write_trajectory
from backend.storage.tables import Run
from tauscope.analysis.trajectories import Trajectory
from tauscope.contracts.forecasts import Forecast
from tauscope.contracts.onsets import Onset, OnsetStatus
from tests.backend.conftest import API, TestClient


def made(step: int, median: float, *, factor: float = 1.25, plain: float | None = None) -> Forecast:
    ends = {"low_95": median / factor**2, "low": median / factor, "median": median, "high": median * factor, "high_95": median * factor**2}
    return Forecast(step=step, **ends, plain=plain, n_pilots=2, n_runs=4, n_configurations=2)


def reached(tau: float) -> Onset:
    return Onset(value=tau, low=0.9 * tau, high=1.1 * tau, status=OnsetStatus.REACHED, metric="f_mem", level=0.25)


def not_by(step: float) -> Onset:
    return Onset(value=None, low=step, high=None, status=OnsetStatus.CENSORED, metric="f_mem", level=0.25, reason=f"not by {step:,.0f}")


@pytest.fixture
def run_ids(context: Context, experiment: dict[str, Any]) -> list[str]:
    """Three runs: one inside its last forecast, one later than every forecast, one that has not come to it."""
    ids = [run["id"] for run in experiment["runs"]]
    onsets = (reached(100), reached(300), not_by(150))
    with context.sessions.begin() as session:
        for run_id, onset in zip(ids, onsets, strict=True):
            write_trajectory(session, run_id, "domain", Trajectory("alike", 8, onset, {}))
            write_summary(session, run_id, {"tau_mem": onset}, {})
            nothing = Forecast(step=5, median=None, low=None, high=None, low_95=None, high_95=None, reason="no earlier run")
            for item in (nothing, made(10, 160, plain=50), made(40, 110, plain=50)):
                keep_forecast(session, run_id, item)
        set_forecast(session, ids[2], made(40, 110))
    return ids


def test_the_forecasts_of_a_run_come_in_order_with_verdict_and_outcome(client: TestClient, run_ids: list[str]) -> None:
    found = client.get(f"{API}/runs/{run_ids[0]}/forecasts").json()
    assert found["outcome"]["value"] == 100
    assert [(item["step"], item["verdict"]) for item in found["forecasts"]] == [(5, "open"), (10, "earlier"), (40, "inside")]
    assert found["forecasts"][0]["reason"] == "no earlier run"
    assert not found["ended"]
    assert all(item["made_at"] > 1.7e9 for item in found["forecasts"])


def test_a_kept_forecast_is_not_replaced_by_a_later_one_of_the_same_step(client: TestClient, context: Context, run_ids: list[str]) -> None:
    with context.sessions.begin() as session:
        keep_forecast(session, run_ids[0], made(40, 999))
    assert client.get(f"{API}/runs/{run_ids[0]}/forecasts").json()["forecasts"][2]["median"] == 110


def test_calibration_takes_one_forecast_a_run_and_says_what_is_left_out(client: TestClient, run_ids: list[str]) -> None:
    found = client.get(f"{API}/forecasts/calibration").json()
    first, last = found["first"], found["last"]
    # 160 (128 to 200) and 110 (88 to 138) against 100, 300 and "not by 150".
    assert (first["coverage_80"]["covered"], first["coverage_80"]["count"], first["n_open"]) == (0, 2, 1)
    assert (last["coverage_80"]["covered"], last["coverage_80"]["count"], last["n_refuted"]) == (1, 3, 1)
    assert last["coverage_80"]["low"] < 1 / 3 < last["coverage_80"]["high"]
    assert last["n_configurations"] == 1
    assert {item["run_id"] for item in last["scored"]} == set(run_ids)
    assert last["error_plain"] > last["error_compared"]


def test_what_was_said_after_tau_mem_is_no_forecast_and_is_not_judged(client: TestClient, context: Context, run_ids: list[str]) -> None:
    before = client.get(f"{API}/forecasts/calibration").json()
    with context.sessions.begin() as session:
        keep_forecast(session, run_ids[0], made(120, 101, plain=50))
    assert client.get(f"{API}/forecasts/calibration").json() == before


def test_the_calibration_of_an_empty_store_claims_nothing(client: TestClient) -> None:
    found = client.get(f"{API}/forecasts/calibration").json()
    assert found["last"]["coverage_80"]["share"] is None
    assert found["last"]["scored"] == []


def test_a_run_shows_its_newest_forecast(client: TestClient, run_ids: list[str]) -> None:
    assert client.get(f"{API}/runs/{run_ids[2]}").json()["forecast"]["median"] == 110
    assert client.get(f"{API}/runs/{run_ids[0]}").json()["forecast"] is None


def test_an_unknown_run_is_refused(client: TestClient) -> None:
    assert client.get(f"{API}/runs/nobody/forecasts").status_code == 404


def test_rows_written_before_there_were_forecasts_have_none(client: TestClient, context: Context, experiment: dict[str, Any]) -> None:
    with context.sessions() as session:
        assert session.scalars(select(Run.forecast).limit(1)).one() is None
    found = client.get(f"{API}/runs/{experiment['runs'][0]['id']}/forecasts").json()
    assert found == {"run_id": experiment["runs"][0]["id"], "outcome": None, "ended": False, "forecasts": []}
