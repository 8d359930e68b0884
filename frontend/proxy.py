"""The API under the dashboard's own origin: a reverse proxy that passes bodies and event streams through unbuffered."""

from collections.abc import AsyncIterator, Mapping

import httpx
import structlog
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from frontend.connection import api_url
from tauscope.client.transport import IDLE_SECONDS

log = structlog.get_logger(__name__)

# RFC 9110, 7.6.1: these belong to one connection and are never passed on.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")

MAX_HELD = 1 << 20

# An event stream is silent between events, so only connecting has a time limit.
_TIMEOUT = httpx.Timeout(None, connect=5.0)
_LIMITS = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=IDLE_SECONDS)


class ApiProxy:
    """Forwards a request to the API and streams the answer back."""

    def __init__(self, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._client = httpx.AsyncClient(timeout=_TIMEOUT, limits=_LIMITS, transport=transport, follow_redirects=False, trust_env=False)

    async def close(self) -> None:
        """Drop the connections to the API."""
        await self._client.aclose()

    async def __call__(self, request: Request) -> Response:
        """Forward one request; 502 with a remedy where the API does not answer."""
        url = httpx.URL(api_url() + request.url.path, query=request.url.query.encode())
        try:
            # An uploaded archive goes on as it comes.
            body = request.stream() if _is_large(request) else await request.body() or None
            outgoing = self._client.build_request(request.method, url, headers=_request_headers(request), content=body)
            answer = await self._client.send(outgoing, stream=True)
        except httpx.TransportError as error:
            log.warning("api_unreachable", url=str(url), error=repr(error))
            return away()
        except ClientDisconnect:
            return Response(status_code=499)
        return _streamed(answer)


def _is_large(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return "transfer-encoding" in request.headers or not length.isdecimal() or int(length[:20]) > MAX_HELD


def _streamed(answer: httpx.Response) -> StreamingResponse:
    response = StreamingResponse(_body(answer), status_code=answer.status_code, background=BackgroundTask(answer.aclose))
    # Raw pairs keep repeated headers such as Set-Cookie apart.
    response.raw_headers = [
        (name.lower(), value) for name, value in answer.headers.raw if name.decode("latin-1").lower() not in _dropped(answer.headers)
    ]
    return response


async def _body(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_raw():
            yield chunk
    except httpx.TransportError as error:
        # The browser sees the stream end, and an EventSource connects again by itself.
        log.warning("api_stream_broken", error=repr(error))
    finally:
        await answer.aclose()


def _request_headers(request: Request) -> list[tuple[str, str]]:
    dropped = _dropped(request.headers)
    kept = [(name, value) for name, value in request.headers.items() if name.lower() not in dropped and name.lower() != "content-length"]
    client = request.client.host if request.client else ""
    # Host and Origin stay the browser's, so that the API can hold them against each other.
    return [
        *kept,
        ("x-forwarded-for", client),
        ("x-forwarded-proto", request.url.scheme),
        ("x-forwarded-host", request.headers.get("host", "")),
    ]


def _dropped(headers: Mapping[str, str]) -> frozenset[str]:
    named = headers.get("connection", "")
    return HOP_BY_HOP | {name.strip().lower() for name in named.split(",") if name.strip()}


def away() -> JSONResponse:
    """The answer while the API does not answer."""
    problem = {
        "type": "about:blank",
        "title": "The API does not answer",
        "status": 502,
        "code": "api_unreachable",
        "detail": f"The dashboard runs, but nothing answers at {api_url()}.",
        "remedy": "Start it with `make up`, or give its address with --api-url.",
        "errors": [],
    }
    return JSONResponse(problem, status_code=502, media_type="application/problem+json")
