"""What the page of data sets fetches, and again after one was registered or removed."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.datasets import dataset_cards, is_format
from frontend.views import answer
from frontend.words import plural, slots_words
from tauscope.client import TauscopeClient


async def serve_datasets(request: Request) -> Response:
    """``GET /view/datasets``: the page's regions."""
    token = request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: _datasets(client_for(token)))


def _datasets(client: TauscopeClient) -> dict[str, Any]:
    views = client.datasets()
    named = [view for view in views if not is_format(view)]
    here = sum(view.available for view in named)
    words = f"{here} of {plural(len(named), 'data set')} can be launched on; {sum(view.registered for view in named)} of them registered."
    return {"regions": {"finding": words, "cards": dataset_cards(views)}, "slots": slots_words(client.system())}
