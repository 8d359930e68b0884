"""Figures for a paper, drawn from what the service has measured."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from backend.storage.tables import Experiment, Run
from tauscope.analysis.thinning import thinned
from tauscope.contracts.curves import Series
from tauscope.contracts.onsets import Onset
from tauscope.figures.render import Form, drawn_metrics, render, stem
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
    content = context.figures.of(
        figure_etag(context, query), lambda: render(_measured(context, query), query.number, query.form, query.options)
    )
    with reading(context.sessions) as session:
        described = _described(context, required(session, query.experiment_id).experiment, {})
    return FigureFile(content, f"{stem(described, query.number, query.options)}.{query.form}")


def _measured(context: Context, query: FigureQuery) -> FigureData:
    """An experiment with the curves that its figure shows."""
    with reading(context.sessions) as session:
        experiment = required(session, query.experiment_id).experiment
        run_ids = [run.id for run in experiment.runs]
        described = _described(context, experiment, files.sampled_steps(session, run_ids))
        found = points.run_curves(session, run_ids, drawn_metrics(described, query.number, query.options))
    return replace(described, runs=tuple(replace(run, series=_thinned(found.get(run.id, {}))) for run in described.runs))


def _thinned(curves: dict[str, points.Columns]) -> dict[str, Series]:
    return {metric: Series.model_validate(thinned(columns, _MAX_POINTS)) for metric, columns in curves.items()}


def _described(context: Context, experiment: Experiment, sampled: Mapping[str, tuple[int, ...]]) -> FigureData:
    """An experiment as figures need it, without its curves; its date is that of its last news."""
    newest = max((run.updated_at for run in experiment.runs if run.updated_at), default=experiment.created_at)
    return FigureData(
        experiment_id=experiment.id,
        name=experiment.name,
        code_version=experiment.code_version,
        date=datetime.fromtimestamp(int(newest), UTC),
        sweep=experiment.sweep,
        runs=tuple(map(_run, experiment.runs)),
        samples=StoredSamples(context, sampled),
    )


def _run(run: Run) -> FigureRun:
    return FigureRun(
        id=run.id,
        params=run.params,
        spec=run.spec,
        state=run.state,
        series={},
        onsets={name: Onset.model_validate(onset) for name, onset in run.onsets.items()},
        metrics=metrics_of([run]),
    )


@dataclass(frozen=True)
class StoredSamples:
    """The samples of the service's runs."""

    context: Context
    sampled: Mapping[str, tuple[int, ...]]

    def steps(self, run_id: str) -> tuple[int, ...]:
        """The steps of a run that have samples, increasing; none without its training images."""
        return self.sampled.get(run_id, ())

    def read(self, run_id: str, step: int, count: int) -> Images:
        """The first ``count`` samples of a checkpoint."""
        images, sha256 = self.context.images, sample_file(self.context, run_id, str(step)).sha256
        train = train_picture(self.context, run_id, 0, 1).sha256
        known = images.neighbours(sha256)
        shown = range(min(count, len(known.nearest)))
        generated = np.stack([images.row(sha256, "samples", index) for index in shown])
        nearest = np.stack([images.row(train, "images", int(known.nearest[index, 0])) for index in shown])
        return Images(generated, nearest, known.gap_ratio[: len(shown)])
