"""Fetching an experiment from the service as a results folder."""

import tempfile
import zipfile
from pathlib import Path

from tauscope.client import TauscopeClient
from tauscope.specs import SpecError


def fetch_export(client: TauscopeClient, experiment: str, folder: Path) -> None:
    """Download the export and unpack it.

    Raises:
        SpecError: if the folder already holds something, or the archive names a path outside it.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SpecError.single("--out", f"{folder} is not empty", "Name a new folder")
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        client.export(experiment, Path(file.name))
        with zipfile.ZipFile(file.name) as archive:
            root = folder.resolve()
            if any(not (root / name).resolve().is_relative_to(root) for name in archive.namelist()):
                raise SpecError.single("export", "the archive names a path outside the folder", "Do not use this server")
            archive.extractall(folder)
