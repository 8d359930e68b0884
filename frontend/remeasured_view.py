"""What the page of a run fetches about what was measured again: the figure of the estimates, and their numbers."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.reading import DESCRIBED
from frontend.charts.remeasured import remeasured_figure
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.remeasured import OWN, remeasured_finding, remeasured_tables
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.client import TauscopeClient
from tauscope.contracts.curves import Curves
from tauscope.contracts.remeasuring import RemeasurementView
from tauscope.contracts.run_views import RunView

_HEIGHT = 340.0


async def serve_remeasured(request: Request) -> Response:
    """``GET /view/runs/{id}/remeasured/{seq}``: the regions about what was measured again; ``seq`` changes whenever they do."""
    identifier, token, options = asked(request)
    return await answer(lambda: _remeasured(client_for(token), identifier, options))


def _remeasured(client: TauscopeClient, identifier: str, options: ViewOptions) -> dict[str, Any]:
    run, sets = client.run(identifier), client.remeasurements(identifier)
    curves = client.curves(run.experiment_id, [F_MEM, CONTROL], max_points=DESCRIBED)
    return remeasured_view(run, curves, sets, options) | {"slots": slots_words(client.system())}


def remeasured_view(run: RunView, curves: Curves, sets: Sequence[RemeasurementView], options: ViewOptions) -> dict[str, Any]:
    """Everything that is shown of what was measured again."""
    own = curves.runs.get(run.id, {})
    estimates = [(OWN, own), *((held.name, held.series) for held in sets)]
    said = remeasured_finding(sets)
    return {
        "figure": remeasured_figure(estimates, options, height=_HEIGHT) if any(F_MEM in series for _, series in estimates) else None,
        "regions": {"finding": said, "table": remeasured_tables(run, own.get(F_MEM), own.get(CONTROL), sets)},
        "alt": plain(said),
    }
