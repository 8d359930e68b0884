"""Figures and diagrams, remembered; one is made at a time, since making one takes a core for a second or more."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from backend.services.errors import NotReadyError

_MAX_BYTES = 32_000_000
_PATIENCE = 30.0


class FigureCache:
    """Files by what they were made from; the least recently used leave first. ``what`` names them in an error."""

    def __init__(self, max_bytes: int = _MAX_BYTES, patience: float = _PATIENCE, *, what: str = "figures") -> None:
        self._what = what
        self._max_bytes = max_bytes
        self._patience = patience
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._drawing = Lock()

    def of(self, key: str, draw: Callable[[], bytes]) -> bytes:
        """The file under this key, drawn where it is not known.

        Raises:
            NotReadyError: if others are being drawn for so long that the reader should ask again.
        """
        if not self._drawing.acquire(timeout=self._patience):
            raise NotReadyError(f"Other {self._what} have been drawn for {self._patience:.0f} seconds", "Ask again in a minute")
        try:
            if key not in self._files:
                self._files[key] = draw()
            self._files.move_to_end(key)
            while sum(map(len, self._files.values())) > self._max_bytes and len(self._files) > 1:
                self._files.popitem(last=False)
            return self._files[key]
        finally:
            self._drawing.release()
