"""The commands that back up and restore. They hand on to the storage's own programs, since the library knows no database."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

commands = typer.Typer()

File = Annotated[Path, typer.Argument(metavar="FILE.tar")]


@commands.command()
def backup(file: File) -> None:
    """Back up the database and the artifacts that the TAUSCOPE_ variables name into one file, also while the service runs."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "backend.storage.backup", str(file)]))


@commands.command()
def restore(file: File) -> None:
    """Restore a backup into a new home or an empty database; start the service afterwards."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "backend.storage.restore", str(file)]))
