"""A results folder as the source of a figure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from tauscope.analysis.metrics_info import metric_infos
from tauscope.figures.source import FigureData, FigureRun, Images, series_of
from tauscope.figures.window_pictures import draw_windows
from tauscope.results.folder import read_measurements, read_spec, read_summary
from tauscope.specs import KINDS, SpecError


@dataclass(frozen=True)
class FolderSamples:
    """The samples of a results folder."""

    folder: Path

    def steps(self, run_id: str) -> tuple[int, ...]:
        """The steps of a run that have samples, increasing."""
        return tuple(sorted(int(file.stem) for file in (self.folder / "runs" / run_id / "samples").glob("*.npz")))

    def read(self, run_id: str, step: int, count: int) -> Images:
        """The first ``count`` samples of a checkpoint."""
        place = self.folder / "runs" / run_id
        with np.load(place / "samples" / f"{step}.npz") as held, np.load(place / "train.npz") as train:
            nearest = train["images"][held["neighbours"][:count, 0]]
            distances = held["distances"][:count].astype(np.float64)
            return Images(_bytes(held["samples"][:count]), _bytes(nearest), distances[:, 0] / distances[:, 1])


def _bytes(fractions: np.ndarray) -> np.ndarray:
    return draw_windows(fractions) if fractions.ndim == 3 else np.rint(np.clip(fractions, 0, 1) * 255).astype(np.uint8)


def read_folder(folder: Path) -> FigureData:
    """A results folder as ``run --out`` or ``export`` left it. Its date is that of its measurements.

    Raises:
        SpecError: if a file that the layout promises is missing, naming it.
    """
    try:
        spec, summary, points = read_spec(folder), read_summary(folder), read_measurements(folder)
        date = datetime.fromtimestamp(int((folder / "measurements.parquet").stat().st_mtime), UTC)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Name a folder that `run --out` or `export` left") from error
    known = {run.id: run for run in summary.runs}
    runs = tuple(
        FigureRun(
            id=entry["run"],
            params=entry["params"],
            spec=entry["spec"],
            state=known[entry["run"]].state,
            series=series_of(points.get(entry["run"], [])),
            onsets=known[entry["run"]].onsets,
            metrics=metric_infos(KINDS[entry["spec"]["kind"]].model_validate(entry["spec"])),
        )
        for entry in spec["runs"]
        if entry["run"] in known
    )
    # Without a service there is no id; the folder's name stands for it.
    return FigureData(folder.resolve().name, spec["experiment"], spec["code_version"], date, spec["sweep"], runs, FolderSamples(folder))
