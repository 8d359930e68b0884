"""Random features through the service: a loop that is given back in the middle, and a closed form that is not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tauscope.contracts.runs import TERMINAL_STATES, RunState
from tests.service import running_broker, running_service, wait_for

SMALL = {"d": 6, "psi_p": 4, "draws": 2, "measurement.schedule.count": 6}


@pytest.fixture
def client(database_url: str, tmp_path: Path) -> Iterator[TauscopeClient]:
    """The service with segments so short that a loop is given back in the middle."""
    settings = {"TAUSCOPE_DATABASE_URL": database_url, "TAUSCOPE_SLOTS": "1", "TAUSCOPE_SEGMENT_SECONDS": "0.2"}
    with (
        running_broker(tmp_path, on_a_port=False) as broker,
        running_service(tmp_path, settings | {"TAUSCOPE_BROKER_URL": broker}) as url,
        TauscopeClient(url) as client,
    ):
        yield client


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_loops_and_spectra_come_to_their_end_and_tell_their_onsets(client: TauscopeClient) -> None:
    loop = client.launch(ExperimentCreate(preset="random-features", settings=SMALL | {"steps": 4000, "eta": 18.0, "psi_n": 2}))
    spectrum = client.launch(ExperimentCreate(preset="rf-spectrum", settings={"d": 10, "psi_p": 8, "psi_n": 3, "draws": 2}))
    for view in (loop, spectrum):
        wait_for(lambda: client.experiment(view.id).runs[0].state in TERMINAL_STATES, seconds=180)  # noqa: B023
    (trained,), (solved,) = client.experiment(loop.id).runs, client.experiment(spectrum.id).runs
    assert [(run.state, run.reason) for run in (trained, solved)] == [(RunState.FINISHED, "")] * 2
    assert trained.n_train == 12 and trained.epoch > 1, "the loop was not given back in the middle"
    curves = client.curves(loop.id).runs[trained.id]
    assert curves["score_error"].step == curves["score_error_theory"].step and curves["score_error"].step[-1] == 4000
    assert solved.final["mass_continuous"] == pytest.approx(0.5, rel=1e-5)
    assert solved.onsets["tau_mem"].reason == "nothing is trained"
