"""What the phase page fetches again as data arrive: one figure, the chosen cell, and the diagram as tables."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.memorization import F_MEM
from frontend.charts.phase import cell_key, phase_figure
from frontend.charts.printing import printed, projected
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, downloads
from frontend.markup.exploration import exploration_section, exploring
from frontend.markup.header import header
from frontend.markup.html import Html, join
from frontend.markup.phase import cell_card, phase_finding, phase_keys, phase_tables
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.phase import PhaseDiagram

_ROW, _FRAME, _MIN_HEIGHT = 120, 100, 320
_FEWEST = 8  # Points of a series that is asked for its cursor alone.


async def serve_phase(request: Request) -> Response:
    """``GET /view/phase/{id}``: the phase page's regions; ``cell`` names the one that is shown by itself."""
    identifier, token, options = asked(request)
    return await answer(lambda: _phase(identifier, token, options, request.query_params.get("cell")))


def _phase(identifier: str, token: str | None, options: ViewOptions, cell: str | None) -> dict[str, Any]:
    client = client_for(token)
    # The cursor first: what comes between the two is told again by the stream, and nothing is missed.
    experiment, cursor = client.experiment(identifier), client.curves(identifier, (F_MEM,), max_points=_FEWEST).cursor
    view = phase_view(experiment, client.phase(identifier), options, cell)
    explored = client.explorations(identifier)
    view |= {"exploration": exploration_section(explored), "exploring": exploring(explored)}
    return view | {"slots": slots_words(client.system()), "cursor": cursor}


def phase_view(experiment: ExperimentView, found: PhaseDiagram, options: ViewOptions, cell: str | None) -> dict[str, Any]:
    """Everything the phase page shows, by region."""
    chosen = next((item for item in found.cells if cell_key(item) == cell), None)
    rows = len({item.parameters for item in found.cells})
    said = phase_finding(found)
    figures = {}
    if not found.missing:
        figure = phase_figure(found, options, chosen=chosen, height=max(_MIN_HEIGHT, _FRAME + _ROW * rows))
        figures["phase"] = printed(figure, options) if options.print_mm else projected(figure) if options.talk else figure
    chart = Chart("phase", "Phase diagram", "phase", f"/api/v1/experiments/{experiment.id}/phase.csv")
    return {
        "figures": figures,
        "header": header(experiment, tab="phase"),
        "finding": said,
        "keys": phase_keys() if figures else Html(""),
        "cell": cell_card(chosen) if chosen else Html(""),
        "table": join(phase_tables(found, chosen), downloads(experiment, (chart,)) if figures else None),
        "alt": {"phase": plain(said)},
        "live": is_live(experiment),
    }
