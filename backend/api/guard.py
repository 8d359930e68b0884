"""Who may call: host, origin, token and body size are checked before anything else sees the request."""

import hmac
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import service_problem
from backend.services.errors import BodyTooLargeError, ForbiddenHostError, ForbiddenOriginError, ServiceError, UnauthorizedError
from backend.settings import ApiSettings

COOKIE = "tauscope_token"
MAX_BODY = 1 << 20
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# The routes that bound their body themselves, for it goes to the disk as it comes.
STREAMED = re.compile(r"/api/v1/datasets/[^/]+/archive")
OPEN_PATHS = frozenset({"/api/v1/health", "/api/v1/ready", "/api/v1/session"})


class Guard:
    """Middleware that refuses a request as a problem or passes it on.

    A page of another site can make a browser on this machine call a loopback server, under a name it controls (DNS
    rebinding): hence the check of Host. Origin keeps pages of other sites from using a cookie that is sent along.
    """

    def __init__(self, app: ASGIApp, settings: ApiSettings) -> None:
        self._app = app
        self._token = settings.token.get_secret_value() if settings.token else None
        self._own_names = {*LOOPBACK_NAMES, settings.host.strip("[]").lower(), *settings.allowed_hosts} if settings.on_loopback else None
        self._origins = {origin.rstrip("/").lower() for origin in settings.allowed_origins}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, then serve."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            self._check(scope)
            if not (scope["method"] == "PUT" and STREAMED.fullmatch(_path(scope))):
                receive = await _bounded(Headers(scope=scope), receive)
        except ServiceError as error:
            await service_problem(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = _host_name(f"//{headers.get('host', '')}")
        if self._own_names is not None and host not in self._own_names:
            raise ForbiddenHostError(
                f"This server is not called {host!r}", "Use http://127.0.0.1, or add the name to TAUSCOPE_ALLOWED_HOSTS"
            )
        self._check_origin(headers.get("origin"), host)
        if _path(scope) not in OPEN_PATHS and not self._has_token(headers):
            raise UnauthorizedError(
                "The request carries no valid token",
                "Send Authorization: Bearer <token>, or POST the token to /api/v1/session for a cookie",
            )

    def _check_origin(self, origin: str | None, host: str) -> None:
        if origin is None or origin.rstrip("/").lower() in self._origins:
            return
        name = _host_name(origin)
        if not name or (name != host and name not in (self._own_names or ())):
            raise ForbiddenOriginError(f"Pages of {origin!r} may not call this server", "Add the origin to TAUSCOPE_ALLOWED_ORIGINS")

    def _has_token(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return same_secret(bearer.strip(), self._token)
        return same_secret(_cookie(headers), self._token)


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))


def same_secret(given: str, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _cookie(headers: Headers) -> str:
    # Starlette's parser: the standard library's gives up at the first odd cookie that another app has set.
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def _host_name(address: str) -> str:
    """The host of ``//host:port`` or ``scheme://host:port`` in lower case, empty if there is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


async def _bounded(headers: Headers, receive: Receive) -> Receive:
    """Read the body, which must be small, and return a channel that yields it again.

    Raises:
        BodyTooLargeError: as soon as it is known to be.
    """
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > MAX_BODY:
        raise _too_large()
    if "content-length" not in headers and "transfer-encoding" not in headers:
        return receive
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return _first(message, receive)
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise _too_large()
    return _first({"type": "http.request", "body": body, "more_body": False}, receive)


def _too_large() -> BodyTooLargeError:
    return BodyTooLargeError(f"A body may have at most {MAX_BODY:,} bytes", "Send a smaller spec; data sets are named, not sent")


def _first(message: Message, receive: Receive) -> Callable[[], Awaitable[Message]]:
    waiting = [message]

    async def next_message() -> Message:
        return waiting.pop() if waiting else await receive()

    return next_message
