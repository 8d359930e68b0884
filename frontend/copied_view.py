"""What the inspect page fetches of the training images that a checkpoint copies."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from frontend.connection import TOKEN_COOKIE, client_for
from frontend.markup.copied import ROWS, about, board, no_board, no_image
from frontend.markup.html import Html
from frontend.views import answer
from tauscope.client import ApiError, TauscopeClient

_NOT_FOUND = 404


async def serve_copied(request: Request) -> Response:
    """``GET /view/inspect/{run}/copied``: the board at a step, and what is known of one training image."""
    run_id, query = request.path_params["run"], dict(request.query_params)
    token = request.cookies.get(TOKEN_COOKIE)
    return await answer(lambda: copied_view(client_for(token), run_id, query))


def copied_view(client: TauscopeClient, run_id: str, query: dict[str, str]) -> dict[str, Any]:
    """The board in HTML, which training images its pictures are, and the words about the chosen one."""
    step, asked = query.get("step", "last"), query.get("train", "")
    chosen = int(asked) if asked.isdigit() else None
    try:
        view = client.copied(run_id, step, limit=ROWS)
    except ApiError as error:
        if error.problem.status != _NOT_FOUND:
            raise
        return {"board": no_board(f"{error.problem.detail}."), "images": [], "about": ""}
    images = [item.image for item in view.items if item.copies]
    return {"board": board(view, chosen), "images": images, "about": _about(client, run_id, step, chosen) if chosen is not None else ""}


def _about(client: TauscopeClient, run_id: str, step: str, image: int) -> Html:
    try:
        view = client.copied(run_id, step, image=image)
    except ApiError as error:
        if error.problem.status != _NOT_FOUND:
            raise
        return no_image(f"{error.problem.detail}. {error.problem.remedy}.")
    return about(view, view.items[0])
