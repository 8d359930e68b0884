"""What the page of a closed form fetches: curves and modes of a run, the map over both ratios, or a spectrum; and their tables."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.closed_form import curves_figure, modes_figure
from frontend.charts.figure import ViewOptions
from frontend.charts.printing import printed, projected
from frontend.charts.reading import DESCRIBED
from frontend.charts.rf_density import density_figure, foretold, ratios_of
from frontend.charts.rf_map import MAPS, map_figure, varies_in_both
from frontend.comparison import spec_of
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.closed_form import bulk_table, closed_keys, data_table, run_finding, spectrum_finding
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join
from frontend.markup.state import is_live
from frontend.spectrum_view import chosen_run, run_choices
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.run_views import RunView
from tauscope.specs.random_features import RandomFeaturesSpec

_RIGHT, _HEIGHT, _TALK_HEIGHT, _PRINT_SHAPE = 130, 340.0, 460.0, 0.6
_NAMES = {
    "curves": "E_score and losses",
    "modes": "Test loss by eigenvalues",
    "map": "Map over both ratios",
    "density": "Spectrum of U",
}
_DRAWN = {
    "curves": ("score_error", "loss_held_out", "loss_train"),
    "modes": ("mode_test@population", "mode_test@points", "mode_test@rest"),
    "map": ("loss_held_out", "score_error"),
}


async def serve_closed(request: Request) -> Response:
    """``GET /view/closed/{id}``: the page's regions; ``run`` names the run, ``map`` what the map shows, ``at`` its training time."""
    identifier, token, options = asked(request)
    return await answer(lambda: _closed(identifier, token, options, dict(request.query_params)))


def _closed(identifier: str, token: str | None, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    client = client_for(token)
    experiment, curves = client.experiment(identifier), client.curves(identifier, max_points=DESCRIBED)
    return closed_view(experiment, curves, options, query) | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def closed_view(experiment: ExperimentView, curves: Curves, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    """Everything the page shows, by region."""
    options = replace(options, right=_RIGHT)
    choices = run_choices(experiment, options)
    run = next((run for run in experiment.runs if run.id == query.get("run")), chosen_run(experiment, options))
    figures = _figures(experiment, run, curves, options, query)
    spectral = is_spectrum(experiment)
    said = (spectrum_finding if spectral else run_finding)(choices[run.id], run, curves)
    charts = [Chart(part, _NAMES[part], part, curves_csv(experiment, _drawn(part, curves))) for part in figures]
    return {
        "figures": figures,
        "header": header(experiment, tab="closed", run_id=run.id),
        "finding": said,
        "keys": join(closed_keys(run, curves)),
        "table": join(
            bulk_table(run, curves, ratios_of(experiment, run), missing=_no_bulks(experiment, run)),
            data_table(run, curves),
            downloads(experiment, charts) if charts else None,
        ),
        "alt": {part: f"{_NAMES[part]}. {plain(said)}" for part in figures},
        "live": is_live(experiment),
    }


def _no_bulks(experiment: ExperimentView, run: RunView) -> str:
    """Why no bulk is foretold; nothing where one is, or a spectrum is all that there is."""
    spec = spec_of(experiment, run)
    return spec.bulks_missing if isinstance(spec, RandomFeaturesSpec) else ""


def is_spectrum(experiment: ExperimentView) -> bool:
    """Whether there is no training time."""
    return bool(experiment.sweep.get("base", {}).get("kind") == "rf_spectrum")


def map_times(experiment: ExperimentView) -> dict[str, str]:
    """The training times that a map may be drawn at, by decades; nothing where there is no map."""
    last = max((run.steps for run in experiment.runs), default=1)
    times = [10**k for k in range(len(str(last)))]
    return {str(tau): f"Map at τ {tau:,}" for tau in sorted({*times, last})} if varies_in_both(experiment) else {}


def _drawn(part: str, curves: Curves) -> tuple[str, ...]:
    return _DRAWN.get(part) or tuple(name for name in curves.metrics if name.startswith("rho_"))


def _figures(experiment: ExperimentView, run: RunView, curves: Curves, options: ViewOptions, query: dict[str, str]) -> dict[str, Any]:
    height = options.pixels * _PRINT_SHAPE if options.print_mm else _TALK_HEIGHT if options.talk else _HEIGHT
    shown = query.get("map", "") if query.get("map", "") in MAPS else next(iter(MAPS))
    at = query.get("at", "")
    uprights = foretold(experiment, run, curves)
    made = {
        "curves": curves_figure(run, curves, options, height=height, foretold=uprights),
        "modes": modes_figure(run, curves, options, height=height, foretold=uprights),
        "map": map_figure(experiment, curves, shown, float(at) if at.isdigit() else float(run.steps), options, height=height),
        "density": density_figure(run, curves, options, **ratios_of(experiment, run), height=height),
    }
    found = {part: figure for part, figure in made.items() if figure is not None}
    if options.print_mm:
        return {part: printed(figure, options) for part, figure in found.items()}
    return {part: projected(figure) for part, figure in found.items()} if options.talk else found
