"""What the interventions page fetches again as data arrive: every setting of a sweep as a row."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.printing import printed
from frontend.charts.settings import settings_figure
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.interventions import interventions_finding, interventions_table, settings_keys
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.interventions import Interventions

_RIGHT, _HEIGHT, _PRINT_SHAPE = 40, 460.0, 0.7
_FEWEST = 8  # Points of a series that is asked for its cursor alone.


async def serve_interventions(request: Request) -> Response:
    """``GET /view/interventions/{id}``: the interventions page's regions."""
    identifier, token, options = asked(request)
    return await answer(lambda: _interventions(identifier, token, options))


def _interventions(identifier: str, token: str | None, options: ViewOptions) -> dict[str, Any]:
    client = client_for(token)
    # The cursor first: what comes between the two is told again by the stream, and nothing is missed.
    experiment, cursor = client.experiment(identifier), client.curves(identifier, (F_MEM,), max_points=_FEWEST).cursor
    view = interventions_view(experiment, client.interventions(identifier), options)
    return view | {"slots": slots_words(client.system()), "cursor": cursor}


def interventions_view(experiment: ExperimentView, found: Interventions, options: ViewOptions | None = None) -> dict[str, Any]:
    """Everything the interventions page shows, by region; a figure where the settings differ in one number."""
    options = replace(options or ViewOptions(), right=_RIGHT)
    height = options.pixels * _PRINT_SHAPE if options.print_mm else _HEIGHT
    figure = settings_figure(found, options, height=height)
    finding = interventions_finding(found)
    chart = Chart("settings", f"Against {found.axis}", "settings", curves_csv(experiment, (F_MEM, CONTROL)))
    return {
        "figures": {"settings": printed(figure, options) if options.print_mm else figure} if figure else {},
        "header": header(experiment, tab="interventions"),
        "finding": finding,
        "keys": settings_keys() if figure else "",
        "table": join(interventions_table(found), downloads(experiment, [chart]) if figure else None),
        "alt": {"settings": f"Copying and onsets against {found.axis}. {plain(finding)}"} if figure else {},
        "live": is_live(experiment),
    }
