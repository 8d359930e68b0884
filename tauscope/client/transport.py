"""Questions to the service and typed answers, over one pool of connections."""

from functools import cache
from ipaddress import ip_address
from typing import Any, Self, TypeVar, cast

import httpx
from pydantic import TypeAdapter

from tauscope.client.errors import ApiUnreachable, raise_for_problem

_T = TypeVar("_T")

DEFAULT_URL = "http://127.0.0.1:8500"
_ANSWERS_KEPT = 16
IDLE_SECONDS = 2.0
"""How long an unused connection is kept: the service closes its own after 5, and one in use at that moment would be lost."""
_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=IDLE_SECONDS)


class Transport:
    """One connection pool to one service."""

    def __init__(self, base_url: str = DEFAULT_URL, *, token: str | None = None, timeout: float = 30.0) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = httpx.URL(base_url.rstrip("/") + "/api/v1")
        # A proxy of the environment is never on the way to this machine.
        self._http = httpx.Client(base_url=base, headers=headers, timeout=timeout, limits=_LIMITS, trust_env=not _is_loopback(base.host))
        # Answers by question, each with the tag under which the service knows it.
        self._answers: dict[tuple[Any, ...], tuple[str, Any]] = {}

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str, model: type[_T], **query: Any) -> _T:
        """The answer to a question; parameters that are ``None`` are left out."""
        return self.call("GET", path, model, params={name: value for name, value in query.items() if value is not None})

    def get_again(self, path: str, model: type[_T], **query: Any) -> _T:
        """As ``get``; what has not changed since the same question was last asked is not sent again."""
        params = {name: value for name, value in query.items() if value is not None}
        key = (path, *params.items())
        tag, held = self._answers.get(key, ("", None))
        response = self.send("GET", path, params=params, headers={"If-None-Match": tag} if tag else {})
        if response.status_code != httpx.codes.NOT_MODIFIED:
            held = _adapter(cast(Any, model)).validate_json(response.content)
            self._answers[key] = (response.headers.get("ETag", ""), held)
            if len(self._answers) > _ANSWERS_KEPT:
                self._answers.pop(next(iter(self._answers)), None)
        return cast(_T, held)

    def call(self, method: str, path: str, model: type[_T], **options: Any) -> _T:
        """Send a request and read the answer."""
        return cast(_T, _adapter(cast(Any, model)).validate_json(self.send(method, path, **options).content))

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send a request.

        Raises:
            ApiError: with the service's problem.
            ApiUnreachable: where nothing answers.
        """
        try:
            response = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise self.unreachable(error) from error
        raise_for_problem(response)
        return response

    def unreachable(self, error: httpx.TransportError) -> ApiUnreachable:
        """The error for a connection that failed."""
        return ApiUnreachable(str(self._http.base_url), str(error) or type(error).__name__)


@cache
def _adapter(model: Any) -> TypeAdapter[Any]:
    return TypeAdapter(model)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
