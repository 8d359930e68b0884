"""Reading server-sent events, and reading on where a connection broke."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import httpx

from tauscope.client.errors import ApiError, ApiUnreachable, raise_for_problem
from tauscope.contracts.stream import STREAM_EVENTS, StreamData

# The service sends a comment every 15 seconds; a connection that is silent for longer is dead.
_SILENCE = httpx.Timeout(10.0, read=45.0)
_RETRY_SECONDS = 1.0


@dataclass(frozen=True)
class StreamEvent:
    """One event: ``name`` as in ``tauscope.contracts.stream``, its data, and the cursor to resume after it."""

    name: str
    data: StreamData
    cursor: str


def follow(http: httpx.Client, path: str, cursor: str, patience: float) -> Iterator[StreamEvent]:
    """Yield events for as long as the experiment exists, connecting again whenever the connection breaks.

    Raises:
        ApiError: if the service refuses, e.g. because the experiment was deleted.
        ApiUnreachable: if nothing answers for ``patience`` seconds.
    """
    silent_since = time.monotonic()
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": cursor} if cursor else {})
        try:
            with http.stream("GET", path, headers=headers, timeout=_SILENCE) as response:
                raise_for_problem(response)
                for event in _known(parse(response.iter_bytes()), cursor):
                    cursor, silent_since = event.cursor, time.monotonic()
                    yield event
                silent_since = time.monotonic()
        except httpx.TransportError as error:
            if time.monotonic() - silent_since > patience:
                raise ApiUnreachable(str(http.base_url), str(error) or type(error).__name__) from error
        except ApiError as error:
            # While the database is away the service says so, and comes back.
            if error.problem.status < 500 or time.monotonic() - silent_since > patience:
                raise
        time.sleep(_RETRY_SECONDS)


def parse(chunks: Iterable[bytes]) -> Iterator[dict[str, str]]:
    """Split a stream into events, each its fields by name; an event that is cut off is left out."""
    fields: dict[str, str] = {}
    for line in _lines(chunks):
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
        elif fields:
            yield fields
            fields = {}


def _known(events: Iterable[dict[str, str]], cursor: str) -> Iterator[StreamEvent]:
    for fields in events:
        cursor = fields.get("id", cursor)
        model = STREAM_EVENTS.get(fields.get("event", ""))
        if model is not None and "data" in fields:
            yield StreamEvent(fields["event"], model.model_validate_json(fields["data"]), cursor)


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    # Not str.splitlines, which would also split at signs that JSON may hold.
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.removesuffix(b"\r").decode() for line in lines)
