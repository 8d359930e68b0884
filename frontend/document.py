"""The HTML document of every page: Streamlit's own, without inline scripts."""

import re
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

_BOOT = """<script src="/assets/boot.js"></script>
    <script type="module" src="/assets/early.js"></script>
    <script type="module" src="/assets/keys.js"></script>
    <script type="module" src="/assets/passage.js"></script>
    """
_ANCHOR = '<script type="module"'
_INLINE = re.compile(r"<script>.*?</script>\s*", re.DOTALL)


@cache
def document() -> str:
    """Streamlit's ``index.html`` with our name; what it scripts inline, ``boot.js`` does."""
    source = (files("streamlit") / "static" / "index.html").read_text(encoding="utf-8")
    plain = _INLINE.sub("", source).replace("<title>Streamlit</title>", "<title>Tauscope</title>")
    return plain.replace(_ANCHOR, _BOOT + _ANCHOR, 1)


async def serve_document(request: Request) -> Response:
    """Any page's address; the page itself is chosen by Streamlit."""
    return HTMLResponse(document(), headers={"cache-control": "no-cache"})
