"""The stand-in's figures for a paper: the real drawing of made-up experiments."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.responses import Response

from backend.services.figures import MEDIA_TYPES
from tauscope.contracts.curves import Curves
from tauscope.contracts.experiments import ExperimentView
from tauscope.figures.render import Form, render, stem
from tauscope.figures.source import FigureData, FigureOptions, FigureRun, Number
from tests.figures.made import MadeSamples
from tests.frontend import fake_world as world


def data_of(view: ExperimentView, curves: Curves) -> FigureData:
    """An experiment of the stand-in as figures need it."""
    base = view.sweep["base"]
    runs = tuple(
        FigureRun(
            id=run.id,
            params=run.params,
            spec=base | {"dataset": base["dataset"] | {"n_train": run.n_train}},
            state=str(run.state),
            series=curves.runs.get(run.id, {}),
            onsets=run.onsets,
            metrics=curves.metrics,
        )
        for run in view.runs
    )
    date = datetime.fromtimestamp(int(world.T0), UTC)
    measured = {step for found in curves.runs.values() for step in found["f_mem"].step}
    steps = tuple(step for step in world.SAMPLE_STEPS if step in measured)
    return FigureData(view.id, view.name, view.code_version, date, view.sweep, runs, MadeSamples(steps))


def add_figures(app: FastAPI, experiment: Callable[[str], ExperimentView], curves: Callable[[str, int | None], Curves]) -> None:
    """The route that the download buttons lead to."""

    @app.get("/api/v1/experiments/{identifier}/figures/{number}.{form}")
    def figure(identifier: str, number: int, form: Form, width: int = 175) -> Response:
        data, options = data_of(experiment(identifier), curves(identifier, 800)), FigureOptions(width)
        drawn: Number = 2 if number == 2 else 3
        headers = {"content-disposition": f'attachment; filename="{stem(data, drawn, options)}.{form}"'}
        return Response(render(data, drawn, form, options), headers=headers, media_type=MEDIA_TYPES[form])
