"""The rows that a figure draws, which are also the table beside it: nothing is drawn that is not in them."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import csv

Kind = Literal["curve", "control", "reference", "level", "missing", "onset", "fit", "guide", "image", "cell", "boundary"]

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("panel", "kind", "quantity", "run", "setting")),
        *((name, pa.int64()) for name in ("n_train", "width", "runs")),
        ("x_quantity", pa.string()),
        *((name, pa.float64()) for name in ("x", "x_low", "x_high", "y", "y_low", "y_high")),
        ("count", pa.int64()),
        *((name, pa.string()) for name in ("status", "note")),
    ]
)


@dataclass(frozen=True)
class Row:
    """One thing drawn: a point of a curve, a level, an onset, an image, a cell.

    Intervals are at 95 %. ``runs`` counts the runs behind the row, ``run`` names it where it is one; ``count`` is the number of
    items each run measured on. A ``censored`` onset has ``x_low`` (or ``y_low``) and no value.
    """

    panel: str
    kind: Kind
    quantity: str
    x_quantity: str = "tau"
    x: float | None = None
    y: float | None = None
    x_low: float | None = None
    x_high: float | None = None
    y_low: float | None = None
    y_high: float | None = None
    count: int | None = None
    n_train: int | None = None
    width: int | None = None
    run: str = ""
    setting: str = ""
    runs: int = 1
    status: str = ""
    note: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel: its words and its rows.

    Attributes:
        note: one or two lines below the title: counts and what the intervals are.
        definition: sentences for the caption.
        empty: why nothing is drawn, where nothing is.
    """

    letter: str
    title: str
    rows: tuple[Row, ...] = ()
    note: str = ""
    definition: str = ""
    x_label: str = "training time τ, steps"
    y_label: str = ""
    log_y: bool = False
    share: bool = False
    onset: str = ""
    inset: "Panel | None" = None
    empty: str = ""

    def of(self, *kinds: Kind) -> tuple[Row, ...]:
        """The rows of these kinds."""
        return tuple(row for row in self.rows if row.kind in kinds)


@dataclass(frozen=True)
class Plan:
    """A figure before it is drawn: its panels, the values of n that its colours stand for, and what holds for all of it."""

    number: int
    panels: tuple[Panel, ...]
    sizes: tuple[int, ...]
    notes: tuple[str, ...] = ()
    images: "dict[str, Tiles]" = field(default_factory=dict)

    @property
    def rows(self) -> tuple[Row, ...]:
        """Everything drawn."""
        return tuple(row for panel in self.panels for row in (*panel.rows, *(panel.inset.rows if panel.inset else ())))


@dataclass(frozen=True)
class Tiles:
    """The pictures of a checkpoint, uint8 [image, height, width, channel]: generated above nearest; which are copies."""

    words: str
    generated: NDArray[np.uint8]
    nearest: NDArray[np.uint8]
    is_copy: tuple[bool, ...]


def table(rows: Iterable[Row], facts: Mapping[str, str]) -> pa.Table:
    """The rows as a table, one column a field, and what made them as its metadata and in a last column ``configuration``.

    Args:
        facts: by name, among them the ``configuration`` hash.
    """
    bare = pa.Table.from_pylist([asdict(row) for row in rows], schema=SCHEMA)
    told = bare.append_column("configuration", pa.repeat(facts["configuration"], bare.num_rows))
    return told.replace_schema_metadata(dict(facts))


def as_csv(rows: Iterable[Row], facts: Mapping[str, str]) -> bytes:
    """The table as CSV with a header; what is missing is empty."""
    buffer = io.BytesIO()
    csv.write_csv(table(rows, facts), buffer, csv.WriteOptions(quoting_style="needed"))
    return buffer.getvalue()


def as_parquet(rows: Iterable[Row], facts: Mapping[str, str]) -> bytes:
    """The table as Parquet."""
    buffer = io.BytesIO()
    pq.write_table(table(rows, facts), buffer)
    return buffer.getvalue()
