"""The commands that back up and restore. They hand on to the storage's own programs, since the library knows no database."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from tauscope.cli.app import app

File = Annotated[Path, typer.Argument(metavar="FILE.tar")]


@app.command()
def backup(file: File) -> None:
    """Back up the database and the artifacts that the TAUSCOPE_ variables name into one file, also while the service runs."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "backend.storage.backup", str(file)]))


@app.command()
def restore(file: File) -> None:
    """Restore a backup into a new home or an empty database; start the service afterwards."""
    raise typer.Exit(subprocess.call([sys.executable, "-m", "backend.storage.restore", str(file)]))
