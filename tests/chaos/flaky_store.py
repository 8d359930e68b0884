"""``chaos:///folder``: a local folder whose operations fail or hang for as long as a control file says so."""

import os
import time
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

CONTROL = "TAUSCOPE_CHAOS_STORE"
POLL_SECONDS = 0.05


class FlakyFileSystem(LocalFileSystem):  # type: ignore[misc]
    """Obeys the file that ``TAUSCOPE_CHAOS_STORE`` names: ``error`` refuses every operation, ``stall`` holds it up."""

    protocol = ("chaos",)

    def put_file(self, path1: str, path2: str, callback: object = None, **options: Any) -> None:
        _obey()
        super().put_file(path1, path2, callback, **options)
        _obey()

    def mv(self, path1: str, path2: str, **options: Any) -> None:
        _obey()
        super().mv(path1, path2, **options)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        _obey()
        super().makedirs(path, exist_ok=exist_ok)

    def _open(self, path: str, mode: str = "rb", block_size: int | None = None, **options: Any) -> Any:
        _obey()
        return super()._open(path, mode, block_size, **options)


def register() -> None:
    """Make ``chaos://`` known to this process."""
    fsspec.register_implementation("chaos", FlakyFileSystem, clobber=True)


def _obey() -> None:
    control = Path(os.environ[CONTROL])
    while (order := _read(control)) == "stall":
        time.sleep(POLL_SECONDS)
    if order == "error":
        raise OSError("the store refuses, as the chaos plan wants")


def _read(control: Path) -> str:
    try:
        return control.read_text()
    except FileNotFoundError:
        return ""
