"""Figures for a paper, drawn from what the service has measured."""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from backend.services.context import Context
from backend.services.curves import CurvesQuery, curves_etag
from backend.services.experiments import required
from backend.services.images import train_picture
from backend.services.samples import sample_file
from backend.services.views import metrics_of
from backend.storage import curves as points
from backend.storage import files
from backend.storage.reading import reading
from backend.storage.tables import Run
from tauscope.analysis.thinning import thinned
from tauscope.contracts.curves import Series
from tauscope.contracts.onsets import Onset
from tauscope.figures.render import Form, render, stem
from tauscope.figures.source import FigureData, FigureOptions, FigureRun, Images, Number

MEDIA_TYPES: dict[Form, str] = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png", "zip": "application/zip"}
_MAX_POINTS = 800  # A curve on 70 mm shows no more.


@dataclass(frozen=True)
class FigureQuery:
    """A figure in a form."""

    experiment_id: str
    number: Number
    form: Form
    options: FigureOptions


@dataclass(frozen=True)
class FigureFile:
    """A drawn figure and what it is called."""

    content: bytes
    name: str


def figure_etag(context: Context, query: FigureQuery) -> str:
    """Names the content without drawing it: every flush of every run, and what was asked."""
    asked = (f"figure {query.number}", repr(query.options))
    return curves_etag(context, CurvesQuery(query.experiment_id, asked), MEDIA_TYPES[query.form])


def figure(context: Context, query: FigureQuery) -> FigureFile:
    """Draw a figure, or take it from those that were drawn.

    Raises:
        UnknownExperimentError: if there is no such experiment.
        SpecError: if the quality that is asked for is not measured.
        NotReadyError: if too many others are being drawn.
    """
    etag = figure_etag(context, query)
    data = figure_data(context, query.experiment_id)
    content = context.figures.of(etag, lambda: render(data, query.number, query.form, query.options))
    return FigureFile(content, f"{stem(data, query.number, query.options)}.{query.form}")


def figure_data(context: Context, experiment_id: str) -> FigureData:
    """An experiment as figures need it; its date is that of its last news."""
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        found = points.run_curves(session, [run.id for run in experiment.runs], None)
    newest = max((run.updated_at for run in experiment.runs if run.updated_at), default=experiment.created_at)
    return FigureData(
        experiment_id=experiment.id,
        name=experiment.name,
        code_version=experiment.code_version,
        date=datetime.fromtimestamp(int(newest), UTC),
        sweep=experiment.sweep,
        runs=tuple(_run(run, found.get(run.id, {})) for run in experiment.runs),
        samples=StoredSamples(context),
    )


def _run(run: Run, curves: dict[str, points.Columns]) -> FigureRun:
    return FigureRun(
        id=run.id,
        params=run.params,
        spec=run.spec,
        state=run.state,
        series={metric: Series.model_validate(thinned(columns, _MAX_POINTS)) for metric, columns in curves.items()},
        onsets={name: Onset.model_validate(onset) for name, onset in run.onsets.items()},
        metrics=metrics_of([run]),
    )


@dataclass(frozen=True)
class StoredSamples:
    """The samples of the service's runs."""

    context: Context

    def steps(self, run_id: str) -> tuple[int, ...]:
        """The steps of a run that have samples and its training images, increasing."""
        with reading(self.context.sessions) as session:
            return files.sample_steps(session, run_id) if files.find_file(session, run_id, "train") else ()

    def read(self, run_id: str, step: int, count: int) -> Images:
        """The first ``count`` samples of a checkpoint."""
        images, sha256 = self.context.images, sample_file(self.context, run_id, str(step)).sha256
        train = train_picture(self.context, run_id, 0, 1).sha256
        known = images.neighbours(sha256)
        shown = range(min(count, len(known.nearest)))
        generated = np.stack([images.row(sha256, "samples", index) for index in shown])
        nearest = np.stack([images.row(train, "images", int(known.nearest[index, 0])) for index in shown])
        return Images(generated, nearest, known.gap_ratio[: len(shown)])
