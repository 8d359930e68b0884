"""``tauscope datasets cache``: what this machine keeps of prepared images and features, and removing it."""

import sys
import time
from collections.abc import Sequence
from json import dumps
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from tauscope.cli.service import Json, output
from tauscope.contracts.storage import size_words

if TYPE_CHECKING:
    from tauscope.datasets.kept import Kept

_DAY = 86_400.0
_Row = tuple[str, str, int, float]


def cache(
    prune: Annotated[bool, typer.Option("--prune", help="Remove what was not used for so many days.")] = False,
    unused: Annotated[float, typer.Option(min=0, help="With --prune: how many days; 0 removes all.")] = 30.0,
    json: Json = False,
) -> None:
    """List what is kept of prepared images, features and archives, with sizes; all of it is made or fetched again when it is needed."""
    from tauscope.datasets import kept
    from tauscope.folders import cache_folder

    now, found = time.time(), kept.kept()
    removed = kept.prune(found, unused_since=now - unused * _DAY) if prune else []
    left = [item for item in found if item not in removed]
    if json:
        document = {"folder": str(cache_folder()), "removed_bytes": _bytes(removed), "kept": [_document(row) for row in _rows(left)]}
        sys.stdout.write(dumps(document) + "\n")
        return
    if prune:
        output.print(Text(f"{size_words(_bytes(removed))} not used for {unused:g} days removed"), soft_wrap=True)
    table = Table("kept", "what", "size", "last used, days ago", box=None)
    for kind, what, n_bytes, used_at in _rows(left):
        table.add_row(kind, Text(what), size_words(n_bytes), f"{max(0.0, now - used_at) / _DAY:.1f}")
    if left:
        output.print(table)
    output.print(Text(f"{size_words(_bytes(left))} in {cache_folder()}"), soft_wrap=True)


def _rows(items: "Sequence[Kept]") -> list[_Row]:
    """A row each, and of features one for all of their blocks."""
    blocks = [item for item in items if item.kind == "features"]
    rows: list[_Row] = [(item.kind, item.what, item.n_bytes, item.used_at) for item in items if item.kind != "features"]
    if blocks:
        words = f"of {len(blocks):,} blocks of images"
        rows.append(("features", words, _bytes(blocks), max(item.used_at for item in blocks)))
    return rows


def _document(row: _Row) -> dict[str, object]:
    return dict(zip(("kind", "what", "bytes", "used_at"), row, strict=True))


def _bytes(items: "Sequence[Kept]") -> int:
    return sum(item.n_bytes for item in items)
