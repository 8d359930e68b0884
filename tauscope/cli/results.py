"""The command behind ``make results``."""

from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()


@commands.command()
def results(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[PRESET|SPEC.yaml]...", help="By default all that the page shows.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Holds a results folder of each sweep; what is finished there is not run again.")] = Path(
        "results"
    ),
    page: Annotated[Path, typer.Option(help="The page with a marked place for each sweep.")] = Path("docs/results.md"),
    images: Annotated[Path, typer.Option(help="Where the figures go.")] = Path("docs/images"),
    processes: Annotated[int | None, typer.Option(min=1, help="Runs at a time, of all sweeps; default one a core.")] = None,
) -> None:
    """Run the sweeps that a page of results shows, going on where it stopped, and write their tables and figures into it."""
    from tauscope.cli.results_run import Place, show_results

    raise typer.Exit(0 if show_results(sources or (), Place(folder, page, images), processes=processes) else 1)
