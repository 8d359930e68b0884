"""Where the API is, and the clients that speak to it: one for each token, shared by pages and views."""

from functools import lru_cache

from tauscope.client import TauscopeClient

TOKEN_COOKIE = "tauscope_token"

_address = {"api_url": "http://127.0.0.1:8500"}


def set_api_url(url: str) -> None:
    """Point the dashboard at an API; done once, before it serves."""
    _address["api_url"] = url.rstrip("/")
    client_for.cache_clear()


def api_url() -> str:
    """The API's address."""
    return _address["api_url"]


@lru_cache(maxsize=64)
def client_for(token: str | None) -> TauscopeClient:
    """The client that carries a viewer's token; it keeps its connections open."""
    return TauscopeClient(api_url(), token=token)
