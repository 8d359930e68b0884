"""The phase diagram of a results folder, and any as CSV."""

import io
from pathlib import Path

import pyarrow as pa
from pyarrow import csv

from tauscope.analysis.phase import phase_diagram
from tauscope.analysis.phase_states import MeasuredRun
from tauscope.contracts.onsets import Onset
from tauscope.contracts.phase import PhaseCell, PhaseDiagram
from tauscope.results.folder import read_measurements, read_spec, read_summary
from tauscope.specs import KINDS

_TIMES = [(f"{name}{end}", pa.float64()) for name in ("tau_gen", "tau_mem") for end in ("", "_low", "_high")]
_STATUS = [("tau_gen_status", pa.string()), ("tau_mem_status", pa.string())]
_SCHEMA = pa.schema(
    [
        *((name, pa.int64()) for name in ("n", "parameters", "width", "runs", "under_way")),
        *[("state", pa.string()), ("settled", pa.bool_()), ("steps", pa.int64())],
        *_STATUS,
        *_TIMES,
        *((f"predicted_tau_mem{end}", pa.float64()) for end in ("", "_low", "_high")),
        ("reason", pa.string()),
    ]
)


def phase_in_folder(folder: Path) -> PhaseDiagram:
    """The phase diagram of a folder that ``run --out`` or ``export`` left.

    Raises:
        FileNotFoundError: if a file that the layout promises is missing, naming it.
    """
    return phase_diagram(*runs_in_folder(folder))


def runs_in_folder(folder: Path) -> tuple[str, list[MeasuredRun]]:
    """The experiment's name, and its runs with all that they measured.

    Raises:
        FileNotFoundError: if a file that the layout promises is missing, naming it.
    """
    spec, points = read_spec(folder), read_measurements(folder)
    summary = read_summary(folder)
    known = {run.id: run for run in summary.runs}
    return summary.experiment, [
        MeasuredRun(known[entry["run"]], KINDS[entry["spec"]["kind"]].model_validate(entry["spec"]), points.get(entry["run"], []))
        for entry in spec["runs"]
        if entry["run"] in known
    ]


def phase_csv(diagram: PhaseDiagram) -> bytes:
    """One row a cell with a header; what is missing is empty."""
    buffer = io.BytesIO()
    table = pa.Table.from_pylist([_row(cell) for cell in diagram.cells], schema=_SCHEMA)
    csv.write_csv(table, buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()


def _row(cell: PhaseCell) -> dict[str, object]:
    same = {name: getattr(cell, name) for name in ("n", "parameters", "width", "under_way", "settled", "steps", "reason")}
    predicted = cell.predicted_tau_mem
    foretold = {
        f"predicted_tau_mem{end}": getattr(predicted, name, None) for end, name in (("", "value"), ("_low", "low"), ("_high", "high"))
    }
    return (
        same
        | {"runs": len(cell.runs), "state": str(cell.state)}
        | _times("tau_gen", cell.tau_gen)
        | _times("tau_mem", cell.tau_mem)
        | foretold
    )


def _times(name: str, onset: Onset | None) -> dict[str, object]:
    if onset is None:
        return {}
    return {name: onset.value, f"{name}_low": onset.low, f"{name}_high": onset.high, f"{name}_status": str(onset.status)}
