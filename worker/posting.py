"""Sending a notification to a hook: one signed POST, to the very address that was looked at, and nothing of the answer but its status."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress

import httpx

from backend.storage.deliveries import Delivery, Outcome
from backend.storage.receivers import Receiver, ReceiverRefusedError, check_address, parse_receiver
from tauscope.client.webhooks import signed_headers
from tauscope.version import code_version

ATTEMPT_SECONDS = 15.0
GONE = 410


def post(delivery: Delivery, body: bytes, *, allow_private: bool, seconds: float = ATTEMPT_SECONDS) -> Outcome:
    """Make one attempt; whatever goes wrong is its outcome. No redirect is followed and no proxy is asked."""
    begun = time.monotonic()
    status, error, hopeless = None, "", False
    try:
        receiver = parse_receiver(delivery.url, allow_private=allow_private)
        headers = signed_headers(delivery.secret, delivery.id, int(time.time()), body)
        status = _post(receiver, body, headers, deadline=begun + seconds, allow_private=allow_private)
        error, hopeless = _verdict(status)
    except ReceiverRefusedError as refused:
        error, hopeless = str(refused), True
    except (OSError, UnicodeError, http.client.HTTPException) as failure:
        late = time.monotonic() - begun >= seconds
        error = f"no answer within {seconds:g} s" if late else f"{type(failure).__name__}: {failure}"
    return Outcome(time.monotonic() - begun, status, error, hopeless)


def _verdict(status: int) -> tuple[str, bool]:
    """What an answer's status means: the error, if it is one, and whether it is for good."""
    if 200 <= status < 300:
        return "", False
    if 300 <= status < 400:
        return f"answer {status}: redirects are not followed. Give the hook the address to which it leads", False
    return f"answer {status}", status == GONE


def _post(receiver: Receiver, body: bytes, headers: dict[str, str], *, deadline: float, allow_private: bool) -> int:
    about = {"Host": receiver.host_header, "Content-Type": "application/json", "User-Agent": f"tauscope/{code_version()}"}
    with closing(_connect(receiver, deadline, allow_private)) as raw, _ended_at(deadline, raw), closing(_secured(raw, receiver)) as line:
        connection = http.client.HTTPConnection(receiver.host, receiver.port)
        connection.sock = line
        connection.auto_open = 0  # It never connects by itself, to whatever the name means by then.
        connection.request("POST", receiver.target, body, about | headers | {"Connection": "close"})
        status = connection.getresponse().status
    if time.monotonic() >= deadline:
        raise TimeoutError  # What was read may be the beginning of an answer that was cut off.
    return status


def _connect(receiver: Receiver, deadline: float, allow_private: bool) -> socket.socket:
    """Connect to the first address that answers, of a name none of whose addresses is refused."""
    found = [str(address[0]) for *_, address in socket.getaddrinfo(receiver.host, receiver.port, type=socket.SOCK_STREAM)]
    for address in found:
        check_address(address, allow_private=allow_private)
    failure: OSError = OSError("its name has no address")
    for address in dict.fromkeys(found):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return socket.create_connection((address, receiver.port), timeout=left)
        except OSError as error:
            failure = error
    raise failure


def _secured(raw: socket.socket, receiver: Receiver) -> socket.socket:
    """The connection itself, or TLS over it for the name that the hook gives."""
    if receiver.scheme == "http":
        return raw
    return httpx.create_ssl_context().wrap_socket(raw, server_hostname=receiver.host)


@contextmanager
def _ended_at(deadline: float, raw: socket.socket) -> Iterator[None]:
    """End the connection at a moment, also while its answer comes in drops: a socket's own timeout counts from drop to drop."""
    with closing(raw.dup()) as handle:  # TLS takes the socket over, and its number with it.

        def end() -> None:
            with suppress(OSError):
                handle.shutdown(socket.SHUT_RDWR)

        timer = threading.Timer(max(0.0, deadline - time.monotonic()), end)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()
