"""What the page of a run shows, and asks for again while the run goes on."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.reading import DESCRIBED
from frontend.charts.rf_density import BULKS
from frontend.charts.theory import loss_constants
from frontend.connection import client_for
from frontend.markup.run import run_regions
from frontend.markup.state import goes_on
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.client import TauscopeClient
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.retention import RunCheckpoints
from tauscope.contracts.run_views import RunView
from tauscope.specs.measurement import MeasurementSpec

DEFAULT_LOSS_INDICES = MeasurementSpec().loss_indices


async def serve_run(request: Request) -> Response:
    """``GET /view/runs/{id}``: the page's regions."""
    identifier, token, _ = asked(request)
    return await answer(lambda: _run(client_for(token), identifier))


def _run(client: TauscopeClient, identifier: str) -> dict[str, Any]:
    run = client.run(identifier)
    shown = run_view(client, client.experiment(run.experiment_id), run, client.checkpoints(identifier))
    return shown | {"slots": slots_words(client.system())}


def run_view(client: TauscopeClient, experiment: ExperimentView, run: RunView, checkpoints: RunCheckpoints) -> dict[str, Any]:
    """The regions; what the run offers to be asked, as a word that changes with it; and whether any of it can still change."""
    attempts, events, foretold = client.run_attempts(run.id), client.run_events(run.id), client.run_forecasts(run.id)
    curves = client.curves(run.experiment_id, _constants(experiment), max_points=DESCRIBED)
    offers = [run.state, run.steps, run.twin_id, *(item.step for item in checkpoints.checkpoints)]
    return {
        "regions": run_regions(experiment, run, attempts, events, checkpoints=checkpoints, foretold=foretold, curves=curves),
        "offers": " ".join(map(str, offers)),
        "live": goes_on(run),
    }


def _constants(experiment: ExperimentView) -> list[str]:
    """What theory says of its runs, by name: one point each, as there may be a thousand runs."""
    base = experiment.sweep.get("base", {})
    if base.get("kind") in ("random_features", "rf_spectrum"):
        return list(BULKS)
    # An empty question would be one for all metrics.
    asked = base.get("measurement", {}).get("loss_indices") or DEFAULT_LOSS_INDICES
    return [name for index in asked for name in loss_constants(index)]
