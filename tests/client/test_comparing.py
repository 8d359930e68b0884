"""Two experiments of a real server compared, by the client and in the terminal."""

from typer.testing import CliRunner

from tauscope.cli.app import app
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentCreate
from tests.backend.conftest import FakeWorker
from tests.client.conftest import LiveServer

CREATE = ExperimentCreate(preset="digits-ci", settings={"n_train": [8, 16], "steps": 50})


def finished(api: TauscopeClient, worker: FakeWorker, exponent: float) -> str:
    launched = api.launch(CREATE)
    n_train = {run.id: run.params["n_train"] for run in launched.runs}
    for _ in n_train:
        claim = worker.claim()
        worker.finish(claim, 3 * n_train[claim.run_id] ** exponent)
    return launched.id


def test_client_and_terminal_tell_the_same_difference(api: TauscopeClient, server: LiveServer, worker: FakeWorker) -> None:
    one, two = (finished(api, worker, exponent) for exponent in (1.0, 1.5))
    found = api.compare_laws(one, two).exponents["tau_mem_vs_n"]
    assert found.difference is not None and abs(found.difference - 0.5) < 0.01
    assert found.p_value is None
    told = CliRunner().invoke(app, ["compare-laws", one, two, "--url", server.url], catch_exceptions=False)
    assert told.exit_code == 0
    assert "difference +0.50" in told.stdout
    assert found.note in told.stdout
