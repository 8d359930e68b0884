"""The scores of one-dimensional runs: what was learnt at each checkpoint, and what is known exactly."""

from collections.abc import Iterator

import orjson
import pyarrow as pa

from backend.services.context import Context
from backend.services.experiments import required, required_run
from backend.services.image_cache import read_arrays
from backend.services.tables import RUN_FIELDS, run_values
from backend.storage.files import find_file, stepped_files
from backend.storage.reading import reading
from backend.storage.twins import PREDICTIONS
from tauscope.contracts.scores import ExactScores, ScoreCurves

_DIGITS = 6  # A float32 has seven; what travels is drawn.
_NUMBERS = ("x", "learned", "population", "empirical", "density")
_SCORES = pa.schema([*RUN_FIELDS, ("tau", pa.int64()), *((name, pa.float64()) for name in _NUMBERS)])


def scores(context: Context, run_id: str) -> ScoreCurves:
    """The scores of a run; without any where it has not begun or is of another kind.

    Raises:
        UnknownRunError: if there is no such run.
    """
    with reading(context.sessions) as session:
        required_run(session, run_id)
        record, files = find_file(session, run_id, "dataset"), stepped_files(session, run_id, PREDICTIONS)
    exact = orjson.loads(context.artifacts.read(record.sha256)).get("scores") if record is not None else None
    if exact is None:
        return ScoreCurves(run_id=run_id, exact=None)
    learned = [read_arrays(context.artifacts, file.sha256, PREDICTIONS)[PREDICTIONS] for file in files]
    return ScoreCurves(
        run_id=run_id,
        exact=ExactScores.model_validate(exact),
        steps=tuple(file.step for file in files if file.step is not None),
        learned=tuple(tuple(float(f"{value:.{_DIGITS}g}") for value in row.ravel().tolist()) for row in learned),
    )


def score_table(context: Context, experiment_id: str) -> pa.Table:
    """Every score at every x and checkpoint, a row each: n, run, seed, tau, x, learned, population, empirical, density.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        runs = required(session, experiment_id).experiment.runs
    parts = [part for run in runs for part in _parts(run_values(run), scores(context, run.id))]
    return pa.concat_tables([_SCORES.empty_table(), *parts])


def _parts(constant: tuple[object, ...], found: ScoreCurves) -> Iterator[pa.Table]:
    exact = found.exact
    if exact is None:
        return
    for step, learned in zip(found.steps, found.learned, strict=True):
        repeated = [pa.repeat(pa.scalar(value, field.type), len(exact.x)) for value, field in zip((*constant, step), _SCORES, strict=False)]
        yield pa.table([*repeated, *map(pa.array, (exact.x, learned, exact.population, exact.empirical, exact.density))], schema=_SCORES)
