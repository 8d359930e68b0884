"""An experiment as a zip file in the layout of a results folder, built on disk."""

import tempfile
import zipfile
from pathlib import Path

from sqlalchemy.orm import Session

from backend.services.context import Context
from backend.services.experiments import required
from backend.services.views import run_summary
from backend.storage.files import run_files
from backend.storage.flush import read_points
from backend.storage.reading import reading
from backend.storage.remeasuring import remeasured_points, remeasured_steps, remeasurements_of
from backend.storage.tables import Experiment, Run, RunFile
from tauscope.contracts.points import Point
from tauscope.contracts.summary import ExperimentSummary
from tauscope.results.folder import run_name, spec_document, write_measurements, write_spec, write_summary
from tauscope.results.remeasured import Remeasured, write_remeasured
from tauscope.specs import KINDS, ResolvedRun, SweepSpec
from tauscope.specs.remeasuring import changes_key


def export(context: Context, experiment_id: str) -> Path:
    """Write the zip file and return its path; the caller removes it.

    Raises:
        UnknownExperimentError: if there is no such experiment.
    """
    with reading(context.sessions) as session:
        experiment = required(session, experiment_id).experiment
        names = {run.id: run_name(run.index, run.label) for run in experiment.runs}
        again = _measured_again(session, names)
        points = [(names[run.id], point) for run in experiment.runs for point in read_points(session, run.id)]
        files = run_files(session, list(names))
    with tempfile.NamedTemporaryFile(prefix="tauscope-export-", suffix=".zip", delete=False) as target:
        path = Path(target.name)
    try:
        _write(context, path, experiment, points, again, [(f"runs/{names[file.run_id]}/{file.path}", file) for file in files])
    except BaseException:
        path.unlink()
        raise
    return path


def _measured_again(session: Session, names: dict[str, str]) -> list[Remeasured]:
    sets = {item.id: item for item in remeasurements_of(session, list(names))}
    steps = {(row.remeasurement_id, row.step): row for row in remeasured_steps(session, list(sets))}
    rows = []
    for set_id, points in remeasured_points(session, list(sets)).items():
        held = sets[set_id]
        for point in points:
            step = steps[set_id, point.step]
            place = (held.name, changes_key(held.changes), step.code_version or "", step.from_step or 0, names[held.run_id])
            rows.append(Remeasured(*place, point))
    return rows


def _write(
    context: Context,
    path: Path,
    experiment: Experiment,
    points: list[tuple[str, Point]],
    again: list[Remeasured],
    files: list[tuple[str, RunFile]],
) -> None:
    with (
        tempfile.TemporaryDirectory(prefix="tauscope-export-") as name,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        folder = Path(name)
        write_spec(folder, _spec(experiment))
        write_summary(folder, _summary(context, experiment))
        write_measurements(folder, points)
        write_remeasured(folder, again)
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
        for place, row in files:
            # One file at a time, its bytes verified on the way.
            part = folder / "part"
            context.artifacts.fetch(row.sha256, part)
            archive.write(part, place)


def _spec(experiment: Experiment) -> dict[str, object]:
    runs = [ResolvedRun(run.index, run.params, KINDS[run.spec["kind"]].model_validate(run.spec)) for run in experiment.runs]
    return spec_document(SweepSpec.model_validate(experiment.sweep), runs, experiment.code_version)


def _summary(context: Context, experiment: Experiment) -> ExperimentSummary:
    def under_its_folder(run: Run) -> dict[str, object]:
        return {**run_summary(run).model_dump(), "id": run_name(run.index, run.label)}

    return ExperimentSummary.model_validate(
        {
            "experiment": experiment.name,
            "code_version": experiment.code_version,
            "runs": [under_its_folder(run) for run in experiment.runs],
            "fits": context.fits.of(experiment),
        }
    )
