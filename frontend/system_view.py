"""What the System page fetches, every few seconds."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.system import system_regions
from frontend.views import answer
from frontend.words import slots_words
from tauscope.client import TauscopeClient


async def serve_system(request: Request) -> Response:
    """``GET /view/system``: the page's regions."""
    token = request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: _system(client_for(token)))


def _system(client: TauscopeClient) -> dict[str, Any]:
    system = client.system()
    return {"regions": system_regions(system, client.diagnosis(), client.hooks()), "slots": slots_words(system)}
