"""The command that prints the phase diagram of an experiment of the service, or of a results folder."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.contracts.phase import CellState, PhaseCell, PhaseDiagram
from tauscope.contracts.wording import number
from tauscope.results.phase import phase_csv, phase_in_folder
from tauscope.specs import SpecError

commands = typer.Typer()


@commands.command()
def phase(
    source: Annotated[
        str, typer.Argument(metavar="EXPERIMENT|FOLDER", help="The id of an experiment of the service, or a results folder.")
    ],
    csv: Annotated[bool, typer.Option("--csv", help="Print every cell as a row of CSV.")] = False,
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Say at which n and p the model memorizes, has a window, or shows no copying, with the boundaries between."""
    found = _read(source, url)
    if json or csv:
        sys.stdout.write(found.model_dump_json() + "\n" if json else phase_csv(found).decode())
        return
    if found.missing:
        output.print(Text(found.missing))
    if found.cells:
        output.print(_table(found))
    for cell in found.cells:
        output.print(Text(f"n = {cell.n:,}, p = {cell.parameters:,}: {cell.reason}"), soft_wrap=True)
    for boundary in found.boundaries:
        name = "n*" if boundary.kind == "plateau" else "window"
        output.print(Text(f"{name} at p = {boundary.parameters:,}: {boundary.reason}"), soft_wrap=True)


def _read(source: str, url: str) -> PhaseDiagram:
    folder = Path(source)
    if not folder.is_dir():
        with open_client(url) as client:
            return client.phase(source)
    try:
        return phase_in_folder(folder)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Use a folder that `run --out` or `export` left") from error


def _table(found: PhaseDiagram) -> Table:
    """One row a p, the largest first, one column an n: the state, and how far the runs went."""
    sizes = sorted({cell.n for cell in found.cells})
    networks = sorted({(cell.parameters, cell.width) for cell in found.cells}, reverse=True)
    places = {(cell.parameters, cell.width, cell.n): cell for cell in found.cells}
    table = Table("p", "W", *(f"n = {n:,}" for n in sizes), title=found.experiment, title_justify="left", box=None)
    for parameters, width in networks:
        cells = [places.get((parameters, width, n)) for n in sizes]
        table.add_row(f"{parameters:,}", str(width), *(_words(cell) if cell else "" for cell in cells))
    return table


def _words(cell: PhaseCell) -> str:
    """``window``, ``memorizes?`` where the intervals leave another state possible, ``censored by 2,400``."""
    by = f" by {number(cell.steps)}" if cell.state is CellState.CENSORED else ""
    return f"{cell.state}{'' if cell.settled else '?'}{by}{' so far' if cell.under_way else ''}"
