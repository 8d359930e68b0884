"""Commands about the workers of a service."""

import sys
from typing import Annotated

import typer

from tauscope.cli.service import DEFAULT_URL, Json, Url, open_client, output
from tauscope.cli.tables import workers_table

commands = typer.Typer()


@commands.command()
def workers(url: Url = DEFAULT_URL, json: Json = False) -> None:
    """List the workers: devices, queues, code, and whether they drain."""
    with open_client(url) as client:
        system = client.system()
    if json:
        sys.stdout.write(system.model_dump_json(include={"workers", "server_time", "version"}) + "\n")
    elif system.workers:
        output.print(workers_table(system.workers, now=system.server_time))
    else:
        output.print("No worker was heard of lately. Start one with: python -m worker")


@commands.command()
def drain(
    name: Annotated[str, typer.Argument(help="A worker's name, as `workers` prints it.")],
    off: Annotated[bool, typer.Option("--off", help="Let it take runs again.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Let a worker write checkpoints, give its runs back and take no further one; it stays up."""
    with open_client(url) as client:
        view = client.undrain(name) if off else client.drain(name)
    told = "takes runs again" if off else f"drains: {view.busy} of {view.slots} slots are busy and end within seconds"
    output.print(f"{view.name} {told}. Undo with: tauscope drain {view.name}{'' if off else ' --off'}", soft_wrap=True)
