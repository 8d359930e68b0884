"""What the interventions page fetches again as data arrive: every setting of a sweep as a row."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.memorization import F_MEM
from frontend.connection import client_for
from frontend.markup.header import header
from frontend.markup.interventions import interventions_finding, interventions_table
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.interventions import Interventions

_FEWEST = 8  # Points of a series that is asked for its cursor alone.


async def serve_interventions(request: Request) -> Response:
    """``GET /view/interventions/{id}``: the interventions page's regions."""
    identifier, token, _ = asked(request)
    return await answer(lambda: _interventions(identifier, token))


def _interventions(identifier: str, token: str | None) -> dict[str, Any]:
    client = client_for(token)
    # The cursor first: what comes between the two is told again by the stream, and nothing is missed.
    experiment, cursor = client.experiment(identifier), client.curves(identifier, (F_MEM,), max_points=_FEWEST).cursor
    view = interventions_view(experiment, client.interventions(identifier))
    return view | {"slots": slots_words(client.system()), "cursor": cursor}


def interventions_view(experiment: ExperimentView, found: Interventions) -> dict[str, Any]:
    """Everything the interventions page shows, by region."""
    return {
        "figures": {},
        "header": header(experiment, tab="interventions"),
        "finding": interventions_finding(found),
        "keys": "",
        "table": interventions_table(found),
        "alt": {},
        "live": is_live(experiment),
    }
