"""A file that says that a folder or bucket is an artifact store, so that an unmounted or mistyped one is no empty store."""

from collections.abc import Callable
from typing import Any

NAME = ".tauscope-store"


class StoreMissingError(OSError):
    """Where the artifact store should be, there is none."""

    def __init__(self, root: str) -> None:
        remedy = f"Mount it, or mend TAUSCOPE_ARTIFACTS_URL; if its files are lost for good, make an empty file {NAME} there"
        super().__init__(f"the artifact store at {root} is empty or not mounted. {remedy}")


class StoreMarker:
    """The marker of one store. Who has seen it once writes nothing where it is not."""

    def __init__(self, files: Any, root: str, *, has_files: Callable[[], bool]) -> None:
        """``has_files`` says whether the store holds a file of ours: so do those of versions that made no marker."""
        self._files = files
        self._root = root
        self._has_files = has_files
        self._seen = False
        # Whether files must be there already, for those who can tell.
        self.expected: Callable[[], bool] = lambda: False

    def present(self) -> bool:
        """Whether the store is there; one without a marker is given one if it has files."""
        self._files.invalidate_cache()
        found = self._exists() or self._has_files()
        if found:
            self.make()
        return found

    def require(self) -> None:
        """Make sure that the store is there.

        Raises:
            StoreMissingError: if it is not.
        """
        if not self.present():
            raise StoreMissingError(self._root)

    def require_if_expected(self) -> None:
        """The same before a write, which may be the first of all.

        Raises:
            StoreMissingError: if there must be a store, since this process has seen it or ``expected`` says so, and there is none.
        """
        if not self._exists() and (self._seen or self.expected()):
            self.require()

    def make(self) -> None:
        """Say that this is a store."""
        if not self._exists():
            self._files.pipe_file(f"{self._root}/{NAME}", b"Tauscope's artifacts. Leave this file where it is.\n")
        self._seen = True

    def _exists(self) -> bool:
        return bool(self._files.exists(f"{self._root}/{NAME}"))
