"""What the Forecasts page fetches: the calibration figure, and coverage and errors in a table."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.calibration import calibration_figure
from frontend.charts.figure import ViewOptions
from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.alternative import plain
from frontend.markup.forecasts import calibration_finding, calibration_table
from frontend.views import answer, options_from
from frontend.words import slots_words
from tauscope.client import TauscopeClient
from tauscope.contracts.forecasts import ForecastCalibration

_RIGHT = 40
_ABOVE, _MIN_HEIGHT = 420, 340


async def serve_forecasts(request: Request) -> Response:
    """``GET /view/forecasts``: the page's regions."""
    token, options = request.cookies.get(TOKEN_COOKIE), options_from(dict(request.query_params))
    return await answer(lambda: _forecasts(client_for(token), options))


def _forecasts(client: TauscopeClient, options: ViewOptions) -> dict[str, Any]:
    return forecasts_view(client.forecast_calibration(), options) | {"slots": slots_words(client.system())}


def forecasts_view(found: ForecastCalibration, options: ViewOptions) -> dict[str, Any]:
    """Everything the page shows; the figure is that of each run's last forecast before tau_mem."""
    height = max(_MIN_HEIGHT, (options.viewport or 900) - _ABOVE)
    said = calibration_finding(found)
    drawn = bool(found.last.scored)
    return {
        "figure": calibration_figure(found.last, replace(options, right=_RIGHT), height=height) if drawn else None,
        "regions": {"finding": said, "table": calibration_table(found)},
        "alt": plain(said),
    }
