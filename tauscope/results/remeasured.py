"""``remeasured.parquet`` of a results folder: points that were measured again, beside those of ``measurements.parquet``.

Columns: ``set`` (its name), ``changes`` (JSON: the fields of ``measurement`` that differ from the run's), ``code_version`` (that measured
it), ``from_step`` (the checkpoint it was measured from), and those of ``measurements.parquet``.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from tauscope.contracts.points import Point
from tauscope.results.folder import SCHEMA

FILE = "remeasured.parquet"
_OWN = [("set", pa.string()), ("changes", pa.string()), ("code_version", pa.string()), ("from_step", pa.int64())]
_SCHEMA = pa.schema([*_OWN, *SCHEMA])


class Remeasured(NamedTuple):
    """One point of a set, of one run."""

    set: str
    changes: str
    code_version: str
    from_step: int
    run: str
    point: Point


def write_remeasured(folder: Path, rows: Iterable[Remeasured]) -> None:
    """Write the file, or nothing where there are no points."""
    table = [{**row._asdict(), **row.point.model_dump()} for row in rows]
    if not table:
        return
    temporary = folder / f"{FILE}.partial"
    pq.write_table(pa.Table.from_pylist(table, schema=_SCHEMA), temporary)
    temporary.replace(folder / FILE)


def read_remeasured(folder: Path) -> list[Remeasured]:
    """Every point of every set; none where nothing was measured again."""
    if not (folder / FILE).is_file():
        return []
    found = pq.read_table(folder / FILE, schema=_SCHEMA).to_pylist()
    return [_row(row) for row in found]


def _row(row: dict[str, Any]) -> Remeasured:
    place = {name: row.pop(name) for name in Remeasured._fields[:-1]}
    return Remeasured(**place, point=Point.model_validate(row))
