"""What the page of a run fetches about its twin: the figure of their agreement, and its numbers."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.reading import DESCRIBED
from frontend.charts.twin import twin_figure
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.state import goes_on
from frontend.markup.twin import split_finding, twin_table
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.client import TauscopeClient
from tauscope.contracts.curves import Curves, Series
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.onsets import was_compared
from tauscope.contracts.run_views import RunView

_RIGHT, _HEIGHT = 40, 320.0


async def serve_twin(request: Request) -> Response:
    """``GET /view/runs/{id}/twin``: the regions about the twin of a run that has one."""
    identifier, token, options = asked(request)
    return await answer(lambda: _twin(client_for(token), identifier, options))


def _twin(client: TauscopeClient, identifier: str, options: ViewOptions) -> dict[str, Any]:
    run = client.run(identifier)
    experiment = client.experiment(run.experiment_id)
    split = run.markers.get("tau_split")
    curves = client.curves(experiment.id, [split.metric], max_points=DESCRIBED) if split else None
    return twin_view(experiment, run, curves, replace(options, right=_RIGHT)) | {"slots": slots_words(client.system())}


def twin_view(experiment: ExperimentView, run: RunView, curves: Curves | None, options: ViewOptions) -> dict[str, Any]:
    """Everything that is shown of a run's agreement with its twin."""
    twin = next(item for item in experiment.runs if item.id == run.twin_id)
    split = run.markers.get("tau_split")
    found: Series | None = curves.runs.get(run.id, {}).get(split.metric) if curves and split else None
    said = split_finding(split)
    return {
        "figure": twin_figure(run, found, split, options, height=_HEIGHT) if split and found and was_compared(run.markers) else None,
        "regions": {"finding": said, "table": twin_table(experiment, run, twin, split, found)},
        "alt": plain(said),
        "live": goes_on(run) or goes_on(twin),
    }
