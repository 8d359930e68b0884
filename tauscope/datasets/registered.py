"""Data sets that were registered with a service under a name: a path on its machines, or an archive of its artifact store."""

from pathlib import Path

from tauscope.datasets.source import DatasetError
from tauscope.folders import cache_folder
from tauscope.specs.dataset import DatasetSpec


def archive_file(sha256: str) -> Path:
    """Where the archive of a registered data set lies on this machine, once it was brought here; a name holds the bytes it stands for."""
    return cache_folder() / "archives" / f"{sha256}.zip"


def place_of(spec: DatasetSpec) -> str | None:
    """The path that the source of a spec opens.

    Raises:
        DatasetError: if it is an archive that was not brought to this machine.
    """
    sha256 = spec.registered.sha256 if spec.registered else None
    if sha256 is None:
        return spec.path
    archive = archive_file(sha256)
    if not archive.is_file():
        raise DatasetError(
            f"the archive of {spec.name} ({sha256[:12]}) is not on this machine",
            "A worker fetches it from the service's store. If it was removed there, register it anew; "
            "elsewhere set dataset.name to images and dataset.path to your copy",
            field="dataset.name",
        )
    return str(archive)
