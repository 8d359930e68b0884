"""What the probes page fetches again as data arrive: one figure, and tables of warnings and of how good they proved."""

from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.charts.figure import ViewOptions
from frontend.charts.groups import focused, group_runs
from frontend.charts.memorization import CONTROL, F_MEM
from frontend.charts.printing import printed, projected
from frontend.charts.probes import probes_figure
from frontend.charts.reading import drawn_points, metric_info
from frontend.connection import client_for
from frontend.markup.alternative import plain
from frontend.markup.downloads import Chart, curves_csv, downloads
from frontend.markup.header import header
from frontend.markup.html import join, tag
from frontend.markup.probes import (
    NEVER_REPLACES,
    calibration_table,
    definitions,
    probe_choices,
    probe_keys,
    probes_finding,
    warning_table,
)
from frontend.markup.state import is_live
from frontend.views import answer, asked
from frontend.words import slots_words
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.contracts.warnings import ExperimentWarnings

_RIGHT = 120
_ABOVE, _ABOVE_IN_TALK, _MIN_HEIGHT, _PRINT_SHAPE = 330, 130, 420, 0.9


async def serve_probes(request: Request) -> Response:
    """``GET /view/probes/{id}``: the probes page's regions; ``probe`` names the one that is drawn."""
    identifier, token, options = asked(request)
    return await answer(lambda: _probes(identifier, token, options, request.query_params.get("probe")))


def _probes(identifier: str, token: str | None, options: ViewOptions, probe: str | None) -> dict[str, Any]:
    client = client_for(token)
    experiment, found = client.experiment(identifier), client.warnings(identifier)
    shown = (chosen_probe(found, probe), F_MEM, CONTROL)
    curves = client.curves(identifier, shown, max_points=drawn_points(len(experiment.runs)))
    view = probes_view(experiment, curves, found, options, probe)
    return view | {"slots": slots_words(client.system()), "cursor": curves.cursor}


def chosen_probe(found: ExperimentWarnings, asked_for: str | None) -> str:
    """The probe that is drawn: the one asked for where it is measured, else the first."""
    choices = probe_choices(found.metrics)
    return asked_for if asked_for in choices else next(iter(choices), "loss_gap@100")


def probes_view(
    experiment: ExperimentView, curves: Curves, found: ExperimentWarnings, options: ViewOptions, probe: str | None
) -> dict[str, Any]:
    """Everything the probes page shows, by region."""
    metric = chosen_probe(found, probe)
    options = replace(options, right=_RIGHT)
    groups = group_runs(experiment, options.palette)
    focus = focused(groups, options.focus)
    warnings = {item.run_id: item for item in found.warnings if item.metric == metric}
    info = found.metrics.get(metric) or metric_info(curves, metric)
    mine = next((item for item in found.calibrations if item.metric == metric), None)
    said = probes_finding(mine, info)
    height = options.pixels * _PRINT_SHAPE if options.print_mm else _height(options)
    figure = probes_figure(experiment, curves, warnings, groups, metric, options, height=height)
    chart = Chart("probes", "Probe and copying", "probes", curves_csv(experiment, (metric, F_MEM, CONTROL)))
    return {
        "figures": {"probes": printed(figure, options) if options.print_mm else projected(figure) if options.talk else figure},
        "header": header(experiment, tab="probes", run_id=focus.runs[0].id if focus else None),
        "finding": said,
        "keys": join(probe_keys(), tag("p", NEVER_REPLACES, class_="tau-score")),
        "table": join(
            warning_table(groups, warnings, metric),
            calibration_table(found.calibrations, found.metrics),
            definitions(found.calibrations, info),
            downloads(experiment, (chart,)),
        ),
        "alt": {"probes": plain(said)},
        "live": is_live(experiment),
    }


def _height(options: ViewOptions) -> float:
    return max(_MIN_HEIGHT, (options.viewport or 900) - (_ABOVE_IN_TALK if options.talk else _ABOVE))
