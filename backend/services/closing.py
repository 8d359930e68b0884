"""Ending open event streams when the server stops."""

import asyncio


class Closing:
    """Set once, when the server begins to stop: a stream that went on would hold it up."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether the server is stopping."""
        return self._event.is_set()

    def begin(self) -> None:
        """Let every stream end."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until the server stops."""
        try:
            await asyncio.wait_for(self._event.wait(), seconds)
        except TimeoutError:
            return
