"""The command about twins."""

import sys
from typing import Annotated

import typer

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output

commands = typer.Typer()


@commands.command()
def twin(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="A run's id, as `show ID --events` prints it.")],
    url: Url = DEFAULT_URL,
    json: Json = False,
) -> None:
    """Add the twin of a run, on a disjoint slice of the data, unless it is there; tau_split is where the two agree most."""
    with open_client(url) as client:
        view = client.add_twin(run_id)
    if json:
        sys.stdout.write(view.model_dump_json() + "\n")
        return
    output.print(f"{run_id}: its twin is {view.id} ({view.label}), {view.state} at step {view.step:,} of {view.steps:,}", highlight=False)
