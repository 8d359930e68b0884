"""Since when files were seen unreferenced, by a clock that does not step: a date alone may be that of a clock that was off."""

import time


class Sightings:
    """What one collector that lives for long saw in its last round. A file that was stored again since has another date."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, float], float] = {}
        self._before: dict[tuple[str, float], float] = {}

    def begin_round(self) -> None:
        """Forget what the last round did not see."""
        self._before, self._since = self._since, {}

    def seconds(self, name: str, date: float) -> float:
        """See a file, and tell for how long it has been seen so in every round; 0 for the first time."""
        now = time.monotonic()
        return now - self._since.setdefault((name, date), self._before.get((name, date), now))
