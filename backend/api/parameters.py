"""The parameters that routes share."""

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request

from backend.services.context import Context
from backend.services.images import MAX_SCALE
from tauscope.specs.schedule import MAX_STEPS


def _context(request: Request) -> Context:
    context = request.app.state.context
    assert isinstance(context, Context)
    return context


UsesContext = Annotated[Context, Depends(_context)]
Id = Annotated[str, Path(pattern=r"^[0-9a-z]{1,32}$", description="id as listed")]
Step = Annotated[str, Path(pattern=r"^(last|[0-9]{1,12})$", description="training step, or `last`")]
CheckpointStep = Annotated[int, Path(ge=0, le=MAX_STEPS, description="training step of a checkpoint")]
Index = Annotated[int, Path(ge=0, le=10**9, description="number of the image, from 0")]
Scale = Annotated[int, Query(ge=1, le=MAX_SCALE, description="how often each pixel is repeated in both directions")]
IfNoneMatch = Annotated[str | None, Header()]
IdempotencyKey = Annotated[
    str | None, Header(pattern=r"^[\x21-\x7e]{1,200}$", description="any text of your own: a repeated request with it starts nothing anew")
]


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether the reader holds this very content."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in if_none_match.split(","))
