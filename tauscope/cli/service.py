"""What the commands that talk to a service share: its address, the client, the terminal."""

import os
import sys
from typing import Annotated

import typer
from rich.console import Console

from tauscope.client import TauscopeClient
from tauscope.client.transport import DEFAULT_URL

__all__ = ["DEFAULT_URL", "Json", "Url", "open_client", "output"]

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]
Url = Annotated[str, typer.Option("--url", envvar="TAUSCOPE_URL", help="Address of the service.")]

# Tables that go to a file or another program are not folded to a terminal that is not there.
output = Console() if sys.stdout.isatty() else Console(width=180)


def open_client(url: str) -> TauscopeClient:
    """A client of the service, with the environment's token."""
    return TauscopeClient(url, token=os.environ.get("TAUSCOPE_TOKEN"))
