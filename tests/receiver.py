"""Servers of tests that take notifications: one over HTTP, and one over SMTP."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TLS = Path(__file__).parent / "fixtures" / "tls"


@dataclass(frozen=True)
class Request:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server on loopback that answers as it is told, and remembers what came."""

    port: int
    scheme: str
    answers: list[int] = field(default_factory=list)  # In turn; after them 204.
    before: Callable[[], object] = lambda: None  # Called while the sender waits.
    received: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://localhost:{self.port}/hook?key=1"


def server_context() -> ssl.SSLContext:
    """TLS of a server with the tests' certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "localhost.pem", TLS / "localhost.key")
    return context


@contextmanager
def http_receiver(*, tls: bool = False) -> Iterator[Receiver]:
    """A receiver of webhooks."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.received.append(Request(self.path, dict(self.headers), body))
            receiver.before()
            with suppress(OSError):
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.send_header("Location", f"http://localhost:{receiver.port}/elsewhere")
                self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = server_context().wrap_socket(server.socket, server_side=True)
    receiver = Receiver(server.server_port, "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield receiver
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def dripping_server() -> Iterator[str]:
    """The address of a server that answers one byte every 20 ms, for as long as anybody listens."""
    with _accepting(_drip) as port:
        yield f"http://localhost:{port}/"


def _drip(line: socket.socket) -> None:
    with suppress(OSError):
        line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            line.sendall(b"x")
            time.sleep(0.02)


@dataclass
class Mailbox:
    """An SMTP server that asks for STARTTLS and a password, and remembers its mails and what was said in the clear."""

    port: int = 0
    mails: list[str] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    said_in_the_clear: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@contextmanager
def mailbox(*, offers_tls: bool = True, refuses: Sequence[str] = ()) -> Iterator[Mailbox]:
    """A mail server; ``refuses`` are recipients that it does not know."""
    box = Mailbox()

    def serve(line: socket.socket) -> None:
        with suppress(OSError):
            _converse(line, box, offers_tls=offers_tls, refuses=refuses)

    with _accepting(serve) as box.port:
        yield box


def _converse(line: socket.socket, box: Mailbox, *, offers_tls: bool, refuses: Sequence[str]) -> None:
    line.sendall(b"220 ready\r\n")
    secure, reader = False, line.makefile("rb")
    while text := reader.readline().decode().strip():
        box.said.append(text)
        if not secure:
            box.said_in_the_clear.append(text)
        verb = text.split()[0].upper()
        if verb == "STARTTLS":
            line.sendall(b"220 go ahead\r\n")
            line = server_context().wrap_socket(line, server_side=True)
            secure, reader = True, line.makefile("rb")
        elif verb == "EHLO":
            line.sendall(
                b"250-test\r\n250 AUTH PLAIN\r\n" if secure else b"250-test\r\n250 STARTTLS\r\n" if offers_tls else b"250 test\r\n"
            )
        elif verb == "RCPT" and any(name in text for name in refuses):
            line.sendall(b"550 nobody of that name\r\n")
        elif verb == "DATA":
            line.sendall(b"354 go on\r\n")
            box.mails.append(b"".join(iter(reader.readline, b".\r\n")).decode())
            line.sendall(b"250 taken\r\n")
        else:
            box.recipients += [text.partition("<")[2].rstrip(">")] * (verb == "RCPT")
            line.sendall({"AUTH": b"235 welcome\r\n", "QUIT": b"221 bye\r\n"}.get(verb, b"250 fine\r\n"))
            if verb == "QUIT":
                line.close()
                return


@contextmanager
def _accepting(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port at which each caller is served in a thread."""
    lines: list[socket.socket] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        with suppress(OSError):
            while True:
                line, _ = listener.accept()
                lines.append(line)
                threading.Thread(target=serve, args=[line], daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for line in lines:
        line.close()
