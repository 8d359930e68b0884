"""The command that puts the settings of a sweep beside one another, on a results folder."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from tauscope.analysis.interventions import interventions as compare
from tauscope.cli.service import Json, output
from tauscope.contracts.interventions import Interventions
from tauscope.contracts.settings_words import settings_rows, settings_words
from tauscope.results.interventions import settings_in_folder
from tauscope.specs import SpecError

commands = typer.Typer()


@commands.command()
def interventions(
    folder: Annotated[Path, typer.Argument(help="A results folder that `run --out` or `export` left.")],
    at: Annotated[int | None, typer.Option(min=1, help="Training step of the comparison; default the last that all runs share.")] = None,
    json: Json = False,
) -> None:
    """Compare the settings of a sweep: onsets, and quality and copying at the same training time."""
    try:
        name, runs = settings_in_folder(folder)
        found = compare(name, runs, at)
    except FileNotFoundError as error:
        raise SpecError.single(str(folder), f"{error.filename} is missing", "Use a folder that `run --out` or `export` left") from error
    except ValueError as error:
        message, _, remedy = str(error).partition(" | ")
        raise SpecError.single("--at", message, remedy) from error
    if json:
        sys.stdout.write(found.model_dump_json() + "\n")
        return
    output.print(_table(found))
    output.print(Text(settings_words(found)), soft_wrap=True)


def _table(found: Interventions) -> Table:
    heads, *rows = settings_rows(found)
    table = Table(*heads, title=f"{found.experiment}, at step {found.at:,}", title_justify="left", box=None)
    for row in rows:
        table.add_row(*row)
    return table
