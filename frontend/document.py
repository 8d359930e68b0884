"""The HTML document of every page: Streamlit's own, told where its backend is."""

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

# Without it Streamlit looks for its backend below the page's own address first, which costs two failed requests.
_BACKEND = '<script>window.__streamlit = {BACKEND_BASE_URL: window.location.origin + "/"}</script>\n    '
_ANCHOR = '<script type="module"'


@cache
def document() -> str:
    """Streamlit's ``index.html`` with the backend's address and our name."""
    source = (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")
    return source.replace("<title>Streamlit</title>", "<title>Tauscope</title>").replace(_ANCHOR, _BACKEND + _ANCHOR, 1)


async def serve_document(request: Request) -> Response:
    """Any page's address; the page itself is chosen by Streamlit."""
    return HTMLResponse(document(), headers={"cache-control": "no-cache"})
